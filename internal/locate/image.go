package locate

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
)

type kind int

const (
	otherFile kind = iota // a script, or nothing that runs
	executable
	sharedLibrary
)

// image is an executable file in any of the three formats.
type image struct {
	io.Closer
	kind     kind
	arch     string                           // as GOARCH has it
	stripped bool                             // no symbols can be read
	symbol   func(name string) (uint32, bool) // the symbol's first four bytes, if it is defined here
}

// open reads the headers only.
func open(path string) (*image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		f.Close()
		return nil, errors.New("is too short to be a program or a library")
	}
	img, err := decode(f, magic)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("is damaged: %w", err)
	}
	img.Closer = f
	return img, nil
}

func decode(f io.ReaderAt, magic [4]byte) (*image, error) {
	switch {
	case string(magic[:]) == elf.ELFMAG:
		return decodeELF(f)
	case bytes.HasPrefix(magic[:], []byte("MZ")):
		return decodePE(f)
	case binary.BigEndian.Uint32(magic[:]) == macho.MagicFat:
		return decodeFat(f)
	case binary.LittleEndian.Uint32(magic[:]) == macho.Magic64:
		return decodeMachO(f)
	}
	return &image{kind: otherFile, symbol: noSymbol}, nil
}

func noSymbol(string) (uint32, bool) { return 0, false }

var elfArch = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386",
	elf.EM_ARM: "arm", elf.EM_RISCV: "riscv64", elf.EM_S390: "s390x", elf.EM_LOONGARCH: "loong64"}

func decodeELF(r io.ReaderAt) (*image, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	img := &image{kind: executable, arch: elfArch[f.Machine]}
	if f.Machine == elf.EM_PPC64 {
		img.arch = map[binary.ByteOrder]string{binary.LittleEndian: "ppc64le", binary.BigEndian: "ppc64"}[f.ByteOrder]
	}
	if img.arch == "" {
		img.arch = f.Machine.String()
	}
	if f.Type == elf.ET_DYN && !hasInterpreter(f) {
		img.kind = sharedLibrary
	}
	img.symbol = func(name string) (uint32, bool) { return elfSymbol(f, name) }
	return img, nil
}

// hasInterpreter tells a position-independent executable from a library: both have the same type.
func hasInterpreter(f *elf.File) bool {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}

func elfSymbol(f *elf.File, name string) (uint32, bool) {
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0, false
	}
	for _, s := range symbols {
		if s.Name == name && s.Section != elf.SHN_UNDEF {
			return elfWord(f, s.Value)
		}
	}
	return 0, false
}

// elfWord goes by address. The symbol's section number would be shorter, but it is stale in files that BOLT
// rewrote, the bundled libpython for one.
func elfWord(f *elf.File, addr uint64) (uint32, bool) {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Vaddr <= addr && addr < p.Vaddr+p.Filesz {
			return word(p, int64(addr-p.Vaddr), f.ByteOrder)
		}
	}
	return 0, false
}

// word reads four bytes. Py_Version is an unsigned long below 2^32: on a big-endian machine of 64 bits its
// value is in the second half.
func word(r io.ReaderAt, at int64, order binary.ByteOrder) (uint32, bool) {
	var raw [8]byte
	if n, _ := r.ReadAt(raw[:], at); n < 4 {
		return 0, false
	}
	if order == binary.BigEndian && strconv.IntSize == 64 {
		return order.Uint32(raw[4:]), true
	}
	return order.Uint32(raw[:4]), true
}

var machoArch = map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}

func decodeMachO(r io.ReaderAt) (*image, error) {
	f, err := macho.NewFile(r)
	if err != nil {
		return nil, err
	}
	return machOImage(f), nil
}

// decodeFat takes this program's half of a universal binary.
func decodeFat(r io.ReaderAt) (*image, error) {
	fat, err := macho.NewFatFile(r)
	if err != nil {
		return nil, err
	}
	img := &image{}
	for _, half := range fat.Arches {
		img = machOImage(half.File)
		if img.arch == runtime.GOARCH {
			break
		}
	}
	return img, nil
}

func machOImage(f *macho.File) *image {
	img := &image{kind: executable, arch: machoArch[f.Cpu], stripped: f.Symtab == nil}
	if f.Type == macho.TypeDylib {
		img.kind = sharedLibrary
	}
	img.symbol = func(name string) (uint32, bool) { return machOSymbol(f, "_"+name) }
	return img
}

func machOSymbol(f *macho.File, name string) (uint32, bool) {
	if f.Symtab == nil {
		return 0, false
	}
	for _, s := range f.Symtab.Syms {
		if s.Name == name && s.Sect > 0 && int(s.Sect) <= len(f.Sections) {
			section := f.Sections[s.Sect-1]
			return word(section, int64(s.Value-section.Addr), f.ByteOrder)
		}
	}
	return 0, false
}

// decodePE leaves the version to the file's name: debug/pe does not read exports.
func decodePE(r io.ReaderAt) (*image, error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return nil, err
	}
	arches := map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64",
		pe.IMAGE_FILE_MACHINE_I386: "386"}
	img := &image{kind: executable, arch: arches[f.Machine], stripped: true, symbol: noSymbol}
	if f.Characteristics&pe.IMAGE_FILE_DLL != 0 {
		img.kind = sharedLibrary
	}
	return img, nil
}
