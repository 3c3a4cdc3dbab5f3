"""aiohttp's own StreamResponse and WebSocketResponse, one loop over all of each."""

import asyncio
import os

from aiohttp import web

streams = set()
sockets = set()


async def events(request):
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    streams.add(response)
    try:
        await asyncio.Future()  # until the client has disconnected
    finally:
        streams.discard(response)


async def ws(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sockets.add(socket)
    try:
        async for _ in socket:
            pass
    finally:
        sockets.discard(socket)
    return socket


async def publish(request):
    text = await request.text()
    event = f"data: {text}\n\n".encode()
    for response in list(streams):
        try:
            await response.write(event)
        except ConnectionError:
            pass
    for socket in list(sockets):
        try:
            await socket.send_str(text)
        except ConnectionError:
            pass
    return web.Response(status=204)


app = web.Application()
app.router.add_get("/events", events)
app.router.add_get("/ws", ws)
app.router.add_post("/publish", publish)

if __name__ == "__main__":
    # Without it, a stream does not notice that its client has disconnected.
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1,
    )
