"""launchdarkly-eventsource of PyPI, which here continues after every error."""

from ld_eventsource import SSEClient
from ld_eventsource.actions import Comment, Event, Fault, Start
from ld_eventsource.config import ConnectStrategy, ErrorStrategy
from protocol import serve, version

CAN = ["types", "headers", "lastEventId", "retry", "readTimeout", "close", "closeOn", "open", "error"]
NAME = "launchdarkly-eventsource"
HELLO = {"name": NAME, "version": version(NAME), "kind": "resilient"}


def connect(options, say):
    timeout = {"timeout": options["readTimeout"] / 1000} if "readTimeout" in options else {}
    how = ConnectStrategy.http(options["url"], options.get("headers"), None, timeout)
    more = {"initial_retry_delay": options["retry"] / 1000} if "retry" in options else {}
    more |= {"last_event_id": options.get("lastEventId")}
    say.client = SSEClient(how, error_strategy=ErrorStrategy.always_continue(), **more)
    calls = {Start: lambda _: say.open(), Comment: lambda action: say.comment(action.comment)}
    calls[Fault] = lambda fault: say.error(fault.error or "the stream ended")
    calls[Event] = lambda event: say.event(event.data, event.event, event.last_event_id or "")
    for action in say.client.all:
        if calls[type(action)](action):
            return


can = [*CAN, "closed", "comment", "lastEventId.event", "pause", "tls"]
serve({**HELLO, "can": can, "retriesOn": ["network", "end", "status", "204"]}, connect)
