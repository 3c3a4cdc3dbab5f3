"""A tool that reports its progress, on the MCP Python SDK over streamable HTTP, with resumption."""

import asyncio
import os

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.streamable_http import EventMessage, EventStore

server = MCPServer("peer")


class Memory(EventStore):
    """Keeps every event, in the form of the SDK's own examples."""

    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id, send_callback):
        last = int(last_event_id) if last_event_id.isdigit() else 0
        if not 0 < last <= len(self.events):
            return None
        stream_id = self.events[last - 1][0]
        for number, (stream, message) in enumerate(self.events[last:], last + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Counts, a step each 100 ms, and reports its progress."""
    for n in range(to):
        await ctx.report_progress(n + 1, to)
        await asyncio.sleep(0.1)
    return f"counted to {to}"


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(os.environ["PORT"]), event_store=Memory())
