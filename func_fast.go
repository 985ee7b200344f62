package py

import (
	"context"

	"github.com/pycontext/py/internal/wire"
)

// fastBody returns bodies without reflection for the most common signatures, and nil
// for the others.
func fastBody(fn any) (body, quick) {
	for _, fast := range []func(any) (body, quick){
		fastNone,
		fastUnary[int, int], fastUnary[int64, int64], fastUnary[float64, float64],
		fastUnary[string, string], fastUnary[any, any],
		fastBinary[int, int], fastBinary[float64, float64],
	} {
		if b, q := fast(fn); b != nil {
			return b, q
		}
	}
	return nil, nil
}

func fastNone(fn any) (body, quick) {
	switch fn := fn.(type) {
	case func():
		return none(func(func() context.Context) error { fn(); return nil })
	case func() error:
		return none(func(func() context.Context) error { return fn() })
	case func(context.Context):
		return none(func(ctx func() context.Context) error { fn(ctx()); return nil })
	case func(context.Context) error:
		return none(func(ctx func() context.Context) error { return fn(ctx()) })
	}
	return nil, nil
}

func fastUnary[A, R any](fn any) (body, quick) {
	switch fn := fn.(type) {
	case func(A) R:
		return unary(func(_ func() context.Context, a A) (R, error) { return fn(a), nil })
	case func(A) (R, error):
		return unary(func(_ func() context.Context, a A) (R, error) { return fn(a) })
	case func(context.Context, A) R:
		return unary(func(ctx func() context.Context, a A) (R, error) { return fn(ctx(), a), nil })
	case func(context.Context, A) (R, error):
		return unary(func(ctx func() context.Context, a A) (R, error) { return fn(ctx(), a) })
	}
	return nil, nil
}

func fastBinary[A, R any](fn any) (body, quick) {
	switch fn := fn.(type) {
	case func(A, A) R:
		return binary(func(_ func() context.Context, a, b A) (R, error) { return fn(a, b), nil })
	case func(A, A) (R, error):
		return binary(func(_ func() context.Context, a, b A) (R, error) { return fn(a, b) })
	case func(context.Context, A, A) R:
		return binary(func(ctx func() context.Context, a, b A) (R, error) { return fn(ctx(), a, b), nil })
	case func(context.Context, A, A) (R, error):
		return binary(func(ctx func() context.Context, a, b A) (R, error) { return fn(ctx(), a, b) })
	}
	return nil, nil
}

func none(fn func(func() context.Context) error) (body, quick) {
	return func(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
		if _, r, err := f.positional(d); r != nil || err != nil {
			return r, err
		}
		if r, err := f.noKeywords(d); r != nil || err != nil {
			return r, err
		}
		if err := fn(ctx); err != nil {
			return raiseError(err), nil
		}
		return answer[any](f, e, nil), nil
	}, quickNone(fn)
}

func unary[A, R any](fn func(func() context.Context, A) (R, error)) (body, quick) {
	return func(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
		if _, r, err := f.positional(d); r != nil || err != nil {
			return r, err
		}
		a, err := wire.Decode[A](d)
		if err != nil {
			return f.badArgument(d, "1", 0, err)
		}
		if r, err := f.noKeywords(d); r != nil || err != nil {
			return r, err
		}
		result, err := fn(ctx, a)
		if err != nil {
			return raiseError(err), nil
		}
		return answer(f, e, result), nil
	}, quickUnary(fn)
}

func binary[A, R any](fn func(func() context.Context, A, A) (R, error)) (body, quick) {
	return func(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
		if _, r, err := f.positional(d); r != nil || err != nil {
			return r, err
		}
		a, err := wire.Decode[A](d)
		if err != nil {
			return f.badArgument(d, "1", 1, err)
		}
		b, err := wire.Decode[A](d)
		if err != nil {
			return f.badArgument(d, "2", 0, err)
		}
		if r, err := f.noKeywords(d); r != nil || err != nil {
			return r, err
		}
		result, err := fn(ctx, a, b)
		if err != nil {
			return raiseError(err), nil
		}
		return answer(f, e, result), nil
	}, quickBinary(fn)
}
