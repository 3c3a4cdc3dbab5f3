"""A path operation that yields, and reads Last-Event-ID as a number, as FastAPI's tutorial does."""

import asyncio
import os
from collections.abc import AsyncIterable
from itertools import count
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()
queues: set[asyncio.Queue] = set()
active = 0


@app.get("/stream", response_class=EventSourceResponse)
async def stream(
    last_event_id: Annotated[int | None, Header()] = None,
) -> AsyncIterable[ServerSentEvent]:
    global active
    active += 1
    try:
        first = 0 if last_event_id is None else last_event_id + 1
        for n in count(first):
            yield ServerSentEvent(data={"n": n}, event="update", id=str(n), retry=5000)
            await asyncio.sleep(0.2)
    finally:
        active -= 1


@app.get("/published", response_class=EventSourceResponse)
async def published() -> AsyncIterable[ServerSentEvent]:
    global active
    active += 1
    queue: asyncio.Queue = asyncio.Queue()
    queues.add(queue)
    try:
        while True:
            yield ServerSentEvent(**await queue.get())
    finally:
        queues.discard(queue)
        active -= 1


@app.post("/publish", status_code=204)
async def publish(request: Request) -> None:
    event = await request.json()
    event["raw_data"] = event.pop("data", None)
    try:
        ServerSentEvent(**event)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    for queue in queues:
        queue.put_nowait(event)


@app.get("/active")
async def gauge() -> dict[str, int]:
    return {"active": active}


if __name__ == "__main__":
    # Without a limit uvicorn waits at its end until the last client disconnects from an endless stream.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        timeout_graceful_shutdown=1,
    )
