// The protocol of `sseproof check-client` (specs/client-protocol.md): the part that all adapters in
// Go share.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
)

type object map[string]interface{}

// A connection that the client is asked for.
type options struct {
	Url         string
	Headers     map[string]string
	LastEventId string
	CloseOn     struct{ Event, Error int }
}

// The messages of one connection. Close is the library's; it is called at once if the command came
// before.
type say struct {
	id             int
	options        options
	events, errors int
	lock           sync.Mutex
	close          func()
	isClosed       bool
}

var writing sync.Mutex

func write(message object) {
	writing.Lock()
	defer writing.Unlock()
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.Encode(message)
}

// Says hello and obeys the commands; connect reads one connection to its end.
func serve(hello object, connect func(options, *say)) {
	write(object{"hello": hello})
	connections := map[int]*say{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var command struct {
			Id      int
			Connect *options
		}
		if err := json.Unmarshal(lines.Bytes(), &command); err != nil {
			panic(err)
		}
		if command.Connect == nil {
			connections[command.Id].closeNow()
			continue
		}
		connection := &say{id: command.Id, options: *command.Connect}
		connections[command.Id] = connection
		go connect(*command.Connect, connection)
	}
}

// Sets the library's function that closes the connection.
func (say *say) closes(close func()) {
	say.lock.Lock()
	defer say.lock.Unlock()
	say.close = close
	if say.isClosed {
		close()
	}
}

func (say *say) closeNow() {
	say.lock.Lock()
	defer say.lock.Unlock()
	if say.isClosed {
		return
	}
	say.isClosed = true
	if say.close != nil {
		say.close()
	}
	write(object{"id": say.id, "closed": object{}})
}

func (say *say) event(kind, data string) {
	if kind == "" {
		kind = "message"
	}
	write(object{"id": say.id, "event": object{"type": kind, "data": data}})
	say.events++
	if say.events == say.options.CloseOn.Event {
		say.closeNow()
	}
}

func (say *say) error(err error, status int) {
	message := object{"message": err.Error()}
	if status != 0 {
		message["status"] = status
	}
	write(object{"id": say.id, "error": message})
	say.errors++
	if say.errors == say.options.CloseOn.Error {
		say.closeNow()
	}
}
