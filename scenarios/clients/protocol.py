"""The protocol of `sseproof check-client` (specs/client-protocol.md): the part that all adapters in
Python share."""

import asyncio
import inspect
import json
import os
import sys
import threading
from importlib.metadata import version

writing = threading.Lock()


def write(message):
    with writing:
        print(json.dumps(message), flush=True)


def serve(hello, connect):
    """Says hello and obeys the commands. `connect(options, say)` reads one connection to its end: as
    a task, or in a thread if it is not a coroutine function."""
    write({"hello": hello})
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    connections = {}
    for line in sys.stdin:
        command = json.loads(line)
        number = command["id"]
        if "connect" in command:
            say = connections[number] = Connection(number, command["connect"])
            say.start(connect, command["connect"], loop)
        else:
            connections[number].close()
    os._exit(0)


class Connection:
    """The messages of one connection; `client` is the object of the library that has `close()`."""

    def __init__(self, number, options):
        self.number = number
        self.close_on = options.get("closeOn", {})
        self.pause = options.get("pause")
        self.client = None
        self.task = None
        self.events = self.errors = 0
        self.is_closed = False

    def start(self, connect, options, loop):
        if inspect.iscoroutinefunction(connect):
            self.task = asyncio.run_coroutine_threadsafe(self.read(connect, options), loop)
        else:
            threading.Thread(target=self.run, args=(connect, options), daemon=True).start()

    async def read(self, connect, options):
        try:
            await connect(options, self)
        except Exception as error:
            self.error(error)
        finally:
            self.closed()

    def run(self, connect, options):
        try:
            connect(options, self)
        except Exception as error:
            self.error(error)
        self.closed()

    def close(self):
        """Closes it from the outside: a task is cancelled, which ends in `closed()`."""
        if self.task:
            self.task.cancel()
        else:
            self.client.close()
            self.closed()

    def open(self):
        self.write("open", self.state())

    def event(self, data, type=None, last_event_id=None):
        """Whether the program closes the connection now, by leaving its loop."""
        event = {"type": type, "data": data, "lastEventId": last_event_id}
        self.write("event", {key: value for key, value in event.items() if value is not None})
        self.events += 1
        if self.events == self.pause and not self.task:
            threading.Event().wait()
        return self.events == self.close_on.get("event") and self.close_here()

    async def paused(self):
        """Takes no more events from an asynchronous iterator, if that is asked for."""
        if self.events == self.pause:
            await asyncio.Event().wait()

    def comment(self, text):
        self.write("comment", text)

    def error(self, error):
        status = getattr(error, "status_code", None) or getattr(error, "status", None)
        status = {"status": status} if isinstance(status, int) else {}
        self.write("error", {"message": str(error) or repr(error), **status, **self.state()})
        self.errors += 1
        return self.errors == self.close_on.get("error") and self.close_here()

    def close_here(self):
        """Closes it inside a handler; the return of a coroutine closes what it has opened."""
        if self.client and not self.task:
            self.client.close()
        return True

    def closed(self):
        if not self.is_closed:
            self.is_closed = True
            self.write("closed", self.state())

    def state(self):
        state = getattr(self.client, "ready_state", None)
        return {} if state is None else {"state": ["connecting", "open", "closed"][state]}

    def write(self, name, value):
        write({"id": self.number, name: value})
