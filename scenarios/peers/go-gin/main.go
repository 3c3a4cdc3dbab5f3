// Gin's Stream and SSEvent, as its example of a chat room uses them.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-contrib/sse"
	"github.com/gin-gonic/gin"
)

var (
	lock      sync.Mutex
	listeners = map[chan sse.Event]bool{}
	active    atomic.Int64
)

func stream(c *gin.Context) {
	active.Add(1)
	defer active.Add(-1)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	n := 0
	c.Stream(func(w io.Writer) bool {
		<-ticker.C
		n++
		c.SSEvent("tick", gin.H{"n": n})
		return true
	})
}

func published(c *gin.Context) {
	active.Add(1)
	defer active.Add(-1)
	messages := make(chan sse.Event, 64)
	lock.Lock()
	listeners[messages] = true
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(listeners, messages)
		lock.Unlock()
	}()
	c.Stream(func(w io.Writer) bool {
		c.Render(-1, <-messages)
		return true
	})
}

func publish(c *gin.Context) {
	var body struct{ Data, Event, Id string }
	if c.BindJSON(&body) != nil {
		return
	}
	message := sse.Event{Event: body.Event, Id: body.Id, Data: body.Data}
	lock.Lock()
	defer lock.Unlock()
	for messages := range listeners {
		select {
		case messages <- message:
		default:
		}
	}
	c.Status(http.StatusNoContent)
}

func main() {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/stream", stream)
	router.GET("/published", published)
	router.POST("/publish", publish)
	router.GET("/active", func(c *gin.Context) { c.JSON(200, gin.H{"active": active.Load()}) })
	router.Run(fmt.Sprint("127.0.0.1:", os.Getenv("PORT")))
}
