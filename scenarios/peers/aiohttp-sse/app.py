"""The clock of aiohttp-sse's README: indented JSON, so that every event has several data lines."""

import asyncio
import json
import os
from datetime import datetime

from aiohttp import web
from aiohttp_sse import sse_response


async def stream(request):
    async with sse_response(request) as response:
        while response.is_connected():
            payload = {"time": f"Server Time : {datetime.now()}"}
            await response.send(json.dumps(payload, indent=2))
            await asyncio.sleep(0.2)
    return response


app = web.Application()
app.router.add_route("GET", "/stream", stream)

if __name__ == "__main__":
    # The default lets an endless stream hold the end of the server up for two minutes.
    web.run_app(
        app, host="127.0.0.1", port=int(os.environ["PORT"]), shutdown_timeout=1
    )
