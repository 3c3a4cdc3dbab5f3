// The net/http of Go with a Flusher, and the chat example of gorilla/websocket: a channel for each
// client of either.
package main

import (
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

// clients has the channels of all clients of one transport.
type clients struct {
	sync.Mutex
	all map[chan []byte]bool
}

func (c *clients) join() chan []byte {
	channel := make(chan []byte, 64)
	c.Lock()
	defer c.Unlock()
	c.all[channel] = true
	return channel
}

func (c *clients) leave(channel chan []byte) {
	c.Lock()
	defer c.Unlock()
	delete(c.all, channel)
}

func (c *clients) send(text []byte) {
	c.Lock()
	defer c.Unlock()
	for channel := range c.all {
		select {
		case channel <- text:
		default: // a client that lags misses it
		}
	}
}

var (
	streams  = clients{all: map[chan []byte]bool{}}
	sockets  = clients{all: map[chan []byte]bool{}}
	compress = os.Getenv("COMPRESS") != ""
	upgrader = websocket.Upgrader{EnableCompression: compress}
)

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	var out io.Writer = w
	flush := w.(http.Flusher).Flush
	if compress {
		w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		out = zipped
		flush = func() {
			zipped.Flush()
			w.(http.Flusher).Flush()
		}
	}
	flush()
	messages := streams.join()
	defer streams.leave(messages)
	for {
		select {
		case event := <-messages:
			out.Write(event)
			flush()
		case <-r.Context().Done():
			return
		}
	}
}

func ws(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	messages := sockets.join()
	done := make(chan bool)
	go func() {
		defer close(done)
		for {
			if _, _, err := socket.ReadMessage(); err != nil {
				return
			}
		}
	}()
	defer socket.Close()
	defer sockets.leave(messages)
	for {
		select {
		case text := <-messages:
			if socket.WriteMessage(websocket.TextMessage, text) != nil {
				return
			}
		case <-done:
			return
		}
	}
}

func publish(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	streams.send([]byte("data: " + string(text) + "\n\n"))
	sockets.send(text)
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	http.HandleFunc("/events", events)
	http.HandleFunc("/ws", ws)
	http.HandleFunc("/publish", publish)
	address := "127.0.0.1:" + os.Getenv("PORT")
	if cert := os.Getenv("CERT"); cert != "" {
		log.Fatal(http.ListenAndServeTLS(address, cert, os.Getenv("KEY"), nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}
