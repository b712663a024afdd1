// Made from ffi/include/stator.h by bindings/gen/go.py; do not edit.

package stator

const (
	ErrMisuse Code = 1
)
