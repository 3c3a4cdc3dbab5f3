"""A path operation that yields, and reads Last-Event-ID as a number, as FastAPI's tutorial does."""

import asyncio
import os
from collections.abc import AsyncIterable
from itertools import count
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()


@app.get("/stream", response_class=EventSourceResponse)
async def stream(
    last_event_id: Annotated[int | None, Header()] = None,
) -> AsyncIterable[ServerSentEvent]:
    first = 0 if last_event_id is None else last_event_id + 1
    for n in count(first):
        yield ServerSentEvent(data={"n": n}, event="update", id=str(n), retry=5000)
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    # Without a limit uvicorn waits at its end for the last client to leave an endless stream.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        timeout_graceful_shutdown=1,
    )
