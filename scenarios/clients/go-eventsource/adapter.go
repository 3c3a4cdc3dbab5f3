// The package github.com/donovanhide/eventsource of Go.
package main

import (
	"net/http"

	"github.com/donovanhide/eventsource"
)

func connect(options options, say *say) {
	request, err := http.NewRequest("GET", options.Url, nil)
	for name, value := range options.Headers {
		request.Header.Set(name, value)
	}
	var stream *eventsource.Stream
	if err == nil {
		stream, err = eventsource.SubscribeWithRequest(options.LastEventId, request)
	}
	if err != nil {
		failed, _ := err.(eventsource.SubscriptionError)
		say.error(err, failed.Code)
		say.closeNow()
		return
	}
	say.closes(stream.Close)
	for {
		select {
		case event, isOpen := <-stream.Events:
			if !isOpen {
				return
			}
			say.event(event.Event(), event.Data())
		case err, isOpen := <-stream.Errors:
			if !isOpen {
				return
			}
			failed, _ := err.(eventsource.SubscriptionError)
			say.error(err, failed.Code)
		}
	}
}

func main() {
	can := []string{"types", "headers", "lastEventId", "close", "closeOn", "error", "closed", "tls", "http2"}
	on := []string{"network", "end", "status"}
	serve(object{"name": "donovanhide/eventsource", "kind": "resilient", "can": can, "retriesOn": on}, connect)
}
