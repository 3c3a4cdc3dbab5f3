"""aiohttp's own StreamResponse and WebSocketResponse, one loop over all of each."""

import asyncio
import os
import ssl
import zlib

from aiohttp import web

COMPRESS = bool(os.environ.get("COMPRESS"))

streams = {}
sockets = set()


async def events(request):
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    encoder = None
    if COMPRESS:
        # aiohttp's own compression does not flush, so that events would wait for later ones.
        response.headers["Content-Encoding"] = "gzip"
        encoder = zlib.compressobj(wbits=zlib.MAX_WBITS + 16)
    await response.prepare(request)
    streams[response] = encoder
    try:
        await asyncio.Future()  # until the client has disconnected
    finally:
        del streams[response]


async def ws(request):
    socket = web.WebSocketResponse(compress=COMPRESS)
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
    for response, encoder in list(streams.items()):
        piece = event
        if encoder:
            piece = encoder.compress(event) + encoder.flush(zlib.Z_SYNC_FLUSH)
        try:
            await response.write(piece)
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
    context = None
    if "CERT" in os.environ:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])
    # Without it, a stream does not notice that its client has disconnected.
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        ssl_context=context,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1,
    )
