"""aiohttp-sse-client2."""

from datetime import timedelta

from aiohttp_sse_client2.client import EventSource
from protocol import serve, version

CAN = ["types", "headers", "method", "body", "retry", "close", "closeOn", "open", "error", "closed"]
NAME = "aiohttp-sse-client2"
HELLO = {"name": NAME, "version": version(NAME), "kind": "resilient"}


async def connect(options, say):
    more = {"headers": options.get("headers", {}), "data": options.get("body")}
    more |= {"option": {"method": options.get("method", "GET")}}
    more |= {"on_open": say.open, "on_error": lambda: say.error("") and say.close()}
    if "retry" in options:
        more["reconnection_time"] = timedelta(milliseconds=options["retry"])
    say.client = EventSource(options["url"], **more)
    async with say.client as source:
        async for event in source:
            if say.event(event.data, event.type, event.last_event_id):
                return


can = [*CAN, "state", "lastEventId.event", "tls"]
serve({**HELLO, "can": can, "retriesOn": ["network", "end"]}, connect)
