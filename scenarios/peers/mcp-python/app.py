"""A tool that reports its progress, on the MCP Python SDK over streamable HTTP."""

import asyncio
import os

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("peer")


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Counts, a step each 100 ms, and says where it is."""
    for n in range(to):
        await ctx.report_progress(n + 1, to)
        await asyncio.sleep(0.1)
    return f"counted to {to}"


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(os.environ["PORT"]))
