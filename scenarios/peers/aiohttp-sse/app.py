"""The clock of aiohttp-sse's README, and its chat: a queue for each listener."""

import asyncio
import json
import os
from datetime import datetime

from aiohttp import web
from aiohttp_sse import sse_response

queues = set()
active = 0


async def stream(request):
    global active
    active += 1
    try:
        async with sse_response(request) as response:
            while response.is_connected():
                payload = {"time": f"Server Time : {datetime.now()}"}
                await response.send(json.dumps(payload, indent=2))
                await asyncio.sleep(0.2)
        return response
    finally:
        active -= 1


async def published(request):
    global active
    active += 1
    queue = asyncio.Queue()
    queues.add(queue)
    try:
        async with sse_response(request) as response:
            while response.is_connected():
                await response.send(**await queue.get())
        return response
    finally:
        queues.discard(queue)
        active -= 1


async def publish(request):
    event = await request.json()
    for queue in queues:
        queue.put_nowait(event)
    return web.Response(status=204)


async def gauge(request):
    return web.json_response({"active": active})


app = web.Application()
app.router.add_route("GET", "/stream", stream)
app.router.add_route("GET", "/published", published)
app.router.add_route("POST", "/publish", publish)
app.router.add_route("GET", "/active", gauge)

if __name__ == "__main__":
    # The default lets an endless stream delay the end of the server by two minutes.
    web.run_app(
        app, host="127.0.0.1", port=int(os.environ["PORT"]), shutdown_timeout=1
    )
