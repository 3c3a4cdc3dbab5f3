"""httpx-sse, reading a response of httpx with its default options."""

from httpx import AsyncClient
from httpx_sse import aconnect_sse
from protocol import serve, version

CAN = ["types", "headers", "method", "body", "close", "closeOn", "error", "closed", "pause"]
HELLO = {"name": "httpx-sse", "version": version("httpx-sse"), "kind": "reader"}


async def connect(options, say):
    method = options.get("method", "GET")
    more = {"headers": options.get("headers", {}), "content": options.get("body")}
    async with AsyncClient() as client:
        async with aconnect_sse(client, method, options["url"], **more) as source:
            async for event in source.aiter_sse():
                if say.event(event.data, event.event, event.id):
                    return
                await say.paused()


serve({**HELLO, "can": [*CAN, "lastEventId.event", "tls"]}, connect)
