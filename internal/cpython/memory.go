package cpython

import (
	"encoding/binary"
	"unsafe"
)

// BigEndian tells the order of the bytes in a number.
var BigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// The functions here reach into Python's memory. The caller keeps it valid meanwhile.

func pointer(address uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// Items is n items at an address that is a multiple of their alignment.
func Items[T any](address uint64, n int) []T { return unsafe.Slice((*T)(pointer(address)), n) }

// Aligned tells whether every item is at a multiple of its alignment.
func Aligned[T any](address uint64, strides []int) bool {
	var item T
	all := address
	for _, stride := range strides {
		all |= uint64(stride)
	}
	return all%uint64(unsafe.Alignof(item)) == 0
}

// Bytes is the memory of items.
func Bytes[T any](items []T) []byte {
	var item T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(items))), len(items)*int(unsafe.Sizeof(item)))
}

// Item is the one at an address.
func Item[T any](address uint64) (item T) {
	copy(Bytes(unsafe.Slice(&item, 1)), Items[byte](address, int(unsafe.Sizeof(item))))
	return item
}

// Gather copies what a buffer of that shape and those strides holds, in row-major order, into items of that number.
func Gather[T any](to []T, address uint64, shape, strides []int) {
	gather(to, pointer(address), shape, strides, Aligned[T](address, strides))
}

func gather[T any](to []T, at unsafe.Pointer, shape, strides []int, aligned bool) {
	size := int(unsafe.Sizeof(to[0]))
	switch {
	case len(shape) == 0 || len(shape) == 1 && strides[0] == size:
		copy(Bytes(to), unsafe.Slice((*byte)(at), size*len(to)))
	case len(shape) == 1 && aligned:
		for i := range to {
			to[i] = *(*T)(unsafe.Add(at, i*strides[0]))
		}
	default:
		each := len(to) / shape[0]
		for i := range shape[0] {
			gather(to[i*each:][:each], unsafe.Add(at, i*strides[0]), shape[1:], strides[1:], aligned)
		}
	}
}
