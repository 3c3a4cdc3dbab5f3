"""requests-sse, which blocks its thread; so it can be closed only there."""

from datetime import timedelta

from protocol import serve, version
from requests_sse import EventSource

CAN = ["types", "headers", "method", "body", "lastEventId", "retry", "closeOn", "open", "error"]
HELLO = {"name": "requests-sse", "version": version("requests-sse"), "kind": "resilient"}


def connect(options, say):
    more = {"latest_event_id": options.get("lastEventId")}
    more |= {"method": options.get("method", "GET"), "data": options.get("body")}
    if "retry" in options:
        more["reconnection_time"] = timedelta(milliseconds=options["retry"])
    more |= {"on_open": say.open, "on_error": lambda: say.error("")}
    say.client = EventSource(options["url"], headers=options.get("headers", {}), **more)
    with say.client as source:
        for event in source:
            if say.event(event.data, event.type, event.last_event_id):
                return


can = [*CAN, "closed", "state", "lastEventId.event", "pause", "tls"]
serve({**HELLO, "can": can, "retriesOn": ["network", "end"]}, connect)
