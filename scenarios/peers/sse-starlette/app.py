"""Events with a type and an id, in the form of sse-starlette's own README."""

import asyncio
import os
from itertools import count

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Route


async def generate_events():
    for n in count():
        yield {"data": f"Event {n}", "event": "update", "id": str(n)}
        await asyncio.sleep(0.2)


async def stream(request):
    return EventSourceResponse(generate_events())


app = Starlette(routes=[Route("/stream", stream)])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
