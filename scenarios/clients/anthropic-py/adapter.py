"""The package anthropic of PyPI, which reads the answer to one request."""

import json

from anthropic import AsyncAnthropic
from protocol import serve, version

CAN = ["types", "headers", "close", "closeOn", "error", "closed", "tls"]
REQUEST = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}


async def connect(options, say):
    headers = options.get("headers")
    client = AsyncAnthropic(base_url=options["url"], api_key="key", default_headers=headers)
    async with client, await client.messages.create(**REQUEST, stream=True) as events:
        async for event in events:
            if say.event(json.dumps(event.to_dict(), separators=(",", ":")), event.type):
                return


serve({"name": "anthropic", "version": version("anthropic"), "kind": "reader", "can": CAN}, connect)
