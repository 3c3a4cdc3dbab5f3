"""Litestar's ServerSentEvent over async generators, on uvicorn."""

import asyncio
import os
from itertools import count

import uvicorn
from litestar import Litestar, Request, get, post
from litestar.response import ServerSentEvent, ServerSentEventMessage

queues: set[asyncio.Queue] = set()
active = 0


async def counted(events):
    """Counts the producers that are alive."""
    global active
    active += 1
    try:
        async for event in events:
            yield event
    finally:
        active -= 1


async def ticks():
    for n in count(1):
        yield ServerSentEventMessage(data=f"tick {n}", event="tick", id=n)
        await asyncio.sleep(0.2)


async def messages():
    queue: asyncio.Queue = asyncio.Queue()
    queues.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


@get("/stream", sync_to_thread=False)
def stream() -> ServerSentEvent:
    return ServerSentEvent(counted(ticks()))


@get("/published", sync_to_thread=False)
def published() -> ServerSentEvent:
    return ServerSentEvent(counted(messages()))


@post("/publish", status_code=204)
async def publish(request: Request) -> None:
    event = ServerSentEventMessage(**await request.json())
    for queue in queues:
        queue.put_nowait(event)


@get("/active", sync_to_thread=False)
def gauge() -> dict[str, int]:
    return {"active": active}


app = Litestar([stream, published, publish, gauge])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), timeout_graceful_shutdown=1)
