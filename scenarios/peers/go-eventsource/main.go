// donovanhide/eventsource as Debian packages it: its server, a channel, Publish.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/donovanhide/eventsource"
)

type event struct {
	EventId   string `json:"id"`
	EventName string `json:"event"`
	EventData string `json:"data"`
}

func (e *event) Id() string    { return e.EventId }
func (e *event) Event() string { return e.EventName }
func (e *event) Data() string  { return e.EventData }

var active atomic.Int64

// counted counts the handlers that are alive.
func counted(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		active.Add(1)
		defer active.Add(-1)
		handler(w, r)
	}
}

func main() {
	server := eventsource.NewServer()
	go func() {
		for n := 1; ; n++ {
			id := fmt.Sprint(n)
			server.Publish([]string{"ticks"}, &event{id, "tick", "tick " + id})
			time.Sleep(200 * time.Millisecond)
		}
	}()
	http.HandleFunc("/stream", counted(server.Handler("ticks")))
	http.HandleFunc("/published", counted(server.Handler("published")))
	http.HandleFunc("/publish", func(w http.ResponseWriter, r *http.Request) {
		message := &event{}
		if err := json.NewDecoder(r.Body).Decode(message); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		server.Publish([]string{"published"}, message)
		w.WriteHeader(http.StatusNoContent)
	})
	http.HandleFunc("/active", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]int64{"active": active.Load()})
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
