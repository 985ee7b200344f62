//go:build cgo && (linux || darwin)

package floor

// #include "floor.h"
import "C"

import (
	"fmt"
	"reflect"
	"unsafe"
)

// NewValue makes a C value of a Go value. A struct is a dict with the names of its json tags.
func NewValue(v any) (*Value, error) {
	made := new(Value)
	if err := fill(&made.c, reflect.ValueOf(v)); err != nil {
		made.Close()
		return nil, err
	}
	return made, nil
}

func fill(n *C.node, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Invalid:
	case reflect.Bool:
		n.kind = C.NODE_BOOL
		if v.Bool() {
			n.i = 1
		}
	case reflect.Int, reflect.Int64:
		n.kind, n.i = C.NODE_INT, C.int64_t(v.Int())
	case reflect.Float64:
		n.kind, n.f = C.NODE_FLOAT, C.double(v.Float())
	case reflect.String:
		p, size := text(v.String())
		C.node_text(n, C.NODE_STR, p, size)
	case reflect.Interface, reflect.Pointer:
		return fill(n, v.Elem())
	case reflect.Slice:
		return fillSlice(n, v)
	case reflect.Map:
		return fillMap(n, v)
	case reflect.Struct:
		return fillStruct(n, v)
	default:
		return fmt.Errorf("no C value is made of a %v", v.Type())
	}
	return nil
}

func items(n *C.node, kind C.int, size int) []C.node {
	return unsafe.Slice(C.node_items(n, kind, C.size_t(size)), size)
}

func fillSlice(n *C.node, v reflect.Value) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		p, size := text(string(v.Bytes()))
		C.node_text(n, C.NODE_BYTES, p, size)
		return nil
	}
	list := items(n, C.NODE_LIST, v.Len())
	for i := range list {
		if err := fill(&list[i], v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func fillMap(n *C.node, v reflect.Value) error {
	pairs := items(n, C.NODE_DICT, 2*v.Len())
	for i, key := range v.MapKeys() {
		if err := fill(&pairs[2*i], key); err != nil {
			return err
		}
		if err := fill(&pairs[2*i+1], v.MapIndex(key)); err != nil {
			return err
		}
	}
	return nil
}

func fillStruct(n *C.node, v reflect.Value) error {
	pairs := items(n, C.NODE_DICT, 2*v.NumField())
	for i := range v.NumField() {
		if err := fill(&pairs[2*i], reflect.ValueOf(v.Type().Field(i).Tag.Get("json"))); err != nil {
			return err
		}
		if err := fill(&pairs[2*i+1], v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}
