// Sends credentials of its user to a server that redirects to another origin.
package main

import (
	"net/http"
	"os"

	"github.com/donovanhide/eventsource"
)

func main() {
	request, _ := http.NewRequest("GET", os.Args[1], nil)
	request.Header.Set("Authorization", "Bearer secret")
	stream, err := eventsource.SubscribeWithRequest("", request)
	if err != nil {
		panic(err)
	}
	<-stream.Events
}
