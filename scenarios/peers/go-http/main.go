// The stream of most Go tutorials: http.Flusher, a ticker, a channel for each listener.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

var (
	lock      sync.Mutex
	listeners = map[chan string]bool{}
	active    atomic.Int64
)

func head(w http.ResponseWriter) http.Flusher {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Connection", "keep-alive")
	return w.(http.Flusher)
}

func stream(w http.ResponseWriter, r *http.Request) {
	active.Add(1)
	defer active.Add(-1)
	flusher := head(w)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-r.Context().Done():
			return
		case now := <-ticker.C:
			fmt.Fprintf(w, "data: tick %d at %s\n\n", n, now.Format(time.RFC3339))
			flusher.Flush()
		}
	}
}

func published(w http.ResponseWriter, r *http.Request) {
	active.Add(1)
	defer active.Add(-1)
	flusher := head(w)
	messages := make(chan string)
	lock.Lock()
	listeners[messages] = true
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(listeners, messages)
		lock.Unlock()
	}()
	for {
		select {
		case <-r.Context().Done():
			return
		case message := <-messages:
			fmt.Fprintf(w, "data: %s\n\n", message)
			flusher.Flush()
		}
	}
}

func publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lock.Lock()
	defer lock.Unlock()
	for messages := range listeners {
		// Without a limit, a disconnected listener would hold the lock that it needs to be removed.
		select {
		case messages <- string(body):
		case <-time.After(time.Second):
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	http.HandleFunc("/stream", stream)
	http.HandleFunc("/published", published)
	http.HandleFunc("/publish", publish)
	http.HandleFunc("/active", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]int64{"active": active.Load()})
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
