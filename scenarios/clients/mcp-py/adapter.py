"""The transport StreamableHTTP of mcp: the stream that answers a POST."""

from httpx2 import AsyncClient
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse
from protocol import serve, version

CAN = ["headers", "close", "closeOn", "error", "closed", "tls"]
REQUEST = SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/list"))


async def connect(options, say):
    async with AsyncClient(headers=options.get("headers")) as client:
        async with streamable_http_client(options["url"], http_client=client) as (reading, writing):
            await writing.send(REQUEST)
            async for received in reading:
                message = getattr(received, "message", received)
                if isinstance(message, (JSONRPCError, Exception)):
                    return say.error(getattr(message, "error", message))
                data = message.model_dump_json(by_alias=True, exclude_unset=True)
                if say.event(data) or isinstance(message, JSONRPCResponse):
                    return


serve({"name": "mcp", "version": version("mcp"), "kind": "reader", "can": CAN}, connect)
