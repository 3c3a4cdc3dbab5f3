"""Events with a type and an id, in the form of sse-starlette's own README."""

import asyncio
import os
from itertools import count

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

queues = set()
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


async def generate_events():
    for n in count():
        yield {"data": f"Event {n}", "event": "update", "id": str(n)}
        await asyncio.sleep(0.2)


async def stream(request):
    return EventSourceResponse(counted(generate_events()))


async def published_events():
    queue = asyncio.Queue()
    queues.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


async def published(request):
    return EventSourceResponse(counted(published_events()))


async def publish(request):
    event = await request.json()
    for queue in queues:
        queue.put_nowait(event)
    return Response(status_code=204)


async def gauge(request):
    return JSONResponse({"active": active})


app = Starlette(
    routes=[
        Route("/stream", stream),
        Route("/published", published),
        Route("/publish", publish, methods=["POST"]),
        Route("/active", gauge),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
