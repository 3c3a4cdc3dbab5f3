"""The server-sent events of Quart's own guide, its `ServerSentEvent` included, on Hypercorn."""

import asyncio
import os
from dataclasses import dataclass
from itertools import count

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, abort, jsonify, make_response, request

app = Quart(__name__)
queues = set()
active = 0


@dataclass
class ServerSentEvent:
    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def encode(self) -> bytes:
        message = f"data: {self.data}"
        if self.event is not None:
            message = f"{message}\nevent: {self.event}"
        if self.id is not None:
            message = f"{message}\nid: {self.id}"
        if self.retry is not None:
            message = f"{message}\nretry: {self.retry}"
        message = f"{message}\n\n"
        return message.encode("utf-8")


async def counted(events):
    """Counts the producers that are alive."""
    global active
    active += 1
    try:
        async for event in events:
            yield event
    finally:
        active -= 1


async def respond(events):
    if "text/event-stream" not in request.accept_mimetypes:
        abort(400)
    response = await make_response(
        counted(events),
        {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-cache",
            "Transfer-Encoding": "chunked",
        },
    )
    response.timeout = None
    return response


@app.get("/stream")
async def stream():
    async def send_events():
        for n in count(1):
            yield ServerSentEvent(f"tick {n}").encode()
            await asyncio.sleep(0.2)

    return await respond(send_events())


@app.get("/published")
async def published():
    async def send_events():
        queue = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                yield (await queue.get()).encode()
        finally:
            queues.discard(queue)

    return await respond(send_events())


@app.post("/publish")
async def publish():
    event = ServerSentEvent(**await request.get_json())
    for queue in queues:
        queue.put_nowait(event)
    return "", 204


@app.get("/active")
async def gauge():
    return jsonify(active=active)


if __name__ == "__main__":
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['PORT']}"]
    config.graceful_timeout = 1
    asyncio.run(serve(app, config))
