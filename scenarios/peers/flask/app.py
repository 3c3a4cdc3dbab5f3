"""The streams of most Flask tutorials: a generator, and a queue for each listener."""

import json
import os
import queue
import threading
import time
from itertools import count

from flask import Flask, Response, request, stream_with_context

app = Flask(__name__)
listeners = []
active = 0
lock = threading.Lock()


def counted(generator):
    """Counts the producers that are alive."""
    global active
    with lock:
        active += 1
    try:
        yield from generator
    finally:
        with lock:
            active -= 1


@app.route("/stream")
def stream():
    def generate():
        for n in count(1):
            yield f"data: {json.dumps({'n': n, 'time': time.time()})}\n\n"
            time.sleep(0.2)

    return Response(stream_with_context(counted(generate())), mimetype="text/event-stream")


def format_sse(data, event=None):
    message = f"data: {data}\n\n"
    if event is not None:
        message = f"event: {event}\n{message}"
    return message


@app.route("/published")
def published():
    messages = queue.Queue(maxsize=5)
    listeners.append(messages)

    def generate():
        while True:
            yield messages.get()

    return Response(counted(generate()), mimetype="text/event-stream")


@app.route("/publish", methods=["POST"])
def publish():
    message = format_sse(**request.json)
    for i in reversed(range(len(listeners))):
        try:
            listeners[i].put_nowait(message)
        except queue.Full:
            del listeners[i]
    return "", 204


@app.route("/active")
def gauge():
    return {"active": active}


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
