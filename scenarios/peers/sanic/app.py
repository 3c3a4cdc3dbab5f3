"""Sanic's streaming response with the type of an event stream."""

import asyncio
import os
from itertools import count

from sanic import Sanic
from sanic.response import empty, json

app = Sanic("peer")
app.config.RESPONSE_TIMEOUT = 3600
app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1
queues = set()
active = 0


@app.get("/stream")
async def stream(request):
    global active
    active += 1
    try:
        response = await request.respond(content_type="text/event-stream")
        for n in count(1):
            await response.send(f"data: tick {n}\n\n")
            await asyncio.sleep(0.2)
    finally:
        active -= 1


@app.get("/published")
async def published(request):
    global active
    active += 1
    queue = asyncio.Queue()
    queues.add(queue)
    try:
        response = await request.respond(content_type="text/event-stream")
        while True:
            await response.send(f"data: {await queue.get()}\n\n")
    finally:
        queues.discard(queue)
        active -= 1


@app.post("/publish")
async def publish(request):
    for queue in queues:
        queue.put_nowait(request.body.decode())
    return empty()


@app.get("/active")
async def gauge(request):
    return json({"active": active})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), single_process=True, motd=False)
