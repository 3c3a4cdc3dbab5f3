package main

import (
	"os"

	"github.com/donovanhide/eventsource"
)

type event struct{ id, name, data string }

func (e event) Id() string    { return e.id }
func (e event) Event() string { return e.name }
func (e event) Data() string  { return e.data }

func main() {
	encoder := eventsource.NewEncoder(os.Stdout, false)
	encoder.Encode(event{data: "a\r\rdata: forged"})
	encoder.Encode(event{name: "a\rdata: forged\r\r", data: "hello"})
	encoder.Encode(event{name: "empty", data: ""})
}
