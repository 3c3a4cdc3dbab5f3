"""A RequestHandler that writes and flushes, as one does SSE with Tornado."""

import asyncio
import os
from itertools import count

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

queues = set()
active = 0


class Events(RequestHandler):
    def set_default_headers(self):
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")

    async def send(self, data):
        self.write(f"data: {data}\n\n")
        await self.flush()

    async def get(self):
        global active
        active += 1
        try:
            await self.produce()
        except StreamClosedError:
            pass
        finally:
            active -= 1


class Stream(Events):
    async def produce(self):
        for n in count(1):
            await self.send(f"tick {n}")
            await asyncio.sleep(0.2)


class Published(Events):
    async def produce(self):
        queue = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                await self.send(await queue.get())
        finally:
            queues.discard(queue)


class Publish(RequestHandler):
    def post(self):
        for queue in queues:
            queue.put_nowait(self.request.body.decode())
        self.set_status(204)


class Active(RequestHandler):
    def get(self):
        self.write({"active": active})


async def main():
    app = Application(
        [("/stream", Stream), ("/published", Published), ("/publish", Publish), ("/active", Active)]
    )
    app.listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
