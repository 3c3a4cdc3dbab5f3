"""Starlette's StreamingResponse and its WebSocket: a queue for each client of either."""

import asyncio
import os

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

streams = set()
sockets = set()


async def stream():
    queue = asyncio.Queue()
    streams.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        streams.discard(queue)


async def events(request):
    headers = {"Cache-Control": "no-cache"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


async def send(socket, queue):
    while True:
        await socket.send_text(await queue.get())


async def ws(socket):
    await socket.accept()
    queue = asyncio.Queue()
    sockets.add(queue)
    sender = asyncio.create_task(send(socket, queue))
    try:
        while True:  # until the client has disconnected, as StreamingResponse does it
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        sockets.discard(queue)
        sender.cancel()


async def publish(request):
    text = (await request.body()).decode()
    event = f"data: {text}\n\n".encode()
    for queue in streams:
        queue.put_nowait(event)
    for queue in sockets:
        queue.put_nowait(text)
    return Response(status_code=204)


app = Starlette(
    routes=[
        Route("/events", events),
        WebSocketRoute("/ws", ws),
        Route("/publish", publish, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        access_log=False,
        ssl_certfile=os.environ.get("CERT"),
        ssl_keyfile=os.environ.get("KEY"),
        ws_per_message_deflate=bool(os.environ.get("COMPRESS")),
        timeout_graceful_shutdown=1,
    )
