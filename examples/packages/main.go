// Packages uses some of Python's packages, where they are installed: pandas, orjson, pydantic and pillow. A worker context is
// the mode that all of them work in. Run it in a virtual environment that has them, or on a Python that does:
//
//	VIRTUAL_ENV=/path/to/venv go run ./examples/packages
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

// code is what a larger program would keep in a file of its own.
const code = `
from datetime import datetime
from io import BytesIO
import numpy, orjson, pandas, pydantic
from PIL import Image

def totals(names, amounts):
    frame = pandas.DataFrame({'name': names, 'amount': numpy.asarray(amounts)})
    return frame.groupby('name')['amount'].sum().to_dict()

def dump(numbers):
    return orjson.dumps({'numbers': numbers, 'when': datetime(2024, 2, 29)}, option=orjson.OPT_SERIALIZE_NUMPY)

class Person(pydantic.BaseModel):
    name: str
    age: int

def first_problem(data):
    try:
        Person.model_validate(data)
    except pydantic.ValidationError as e:
        return e.errors()[0]['msg'].split(',')[0]

def png(pixels):
    file = BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return file.getvalue()

def pixels(data):
    return numpy.asarray(Image.open(BytesIO(data)))
`

type person struct {
	Name string `py:"name"`
	Age  int    `py:"age"`
}

func main() {
	ctx := context.Background()
	c, err := py.New(ctx, py.Options{Preload: code})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	// The amounts are not copied, and pandas lets go of them before the call ends.
	totals, err := py.Call[map[string]int](ctx, c, "__main__", "totals", []string{"a", "b", "a"}, py.Lend([]int{1, 3, 2}))
	check(err)
	fmt.Println("pandas:", totals)

	text, err := py.Call[[]byte](ctx, c, "__main__", "dump", py.Array[int]{Data: []int{1, 2, 3}})
	check(err)
	fmt.Printf("orjson: %s\n", text)

	ann, err := py.Call[person](ctx, c, "__main__", "Person", py.Kw{"name": "Ann", "age": "36"})
	check(err)
	problem, err := py.Call[string](ctx, c, "__main__", "first_problem", map[string]any{"name": "Bob", "age": "old"})
	check(err)
	fmt.Printf("pydantic: %v; %s\n", ann, problem)

	red := py.Array[uint8]{Shape: []int{8, 8, 3}, Data: make([]uint8, 8*8*3)}
	for i := 0; i < len(red.Data); i += 3 {
		red.Data[i] = 255
	}
	png, err := py.Call[[]byte](ctx, c, "__main__", "png", red)
	check(err)
	back, err := py.Call[py.Array[uint8]](ctx, c, "__main__", "pixels", png)
	check(err)
	fmt.Printf("pillow: %dx%d pixels, the first %v\n", back.Shape[1], back.Shape[0], back.Data[:3])
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
