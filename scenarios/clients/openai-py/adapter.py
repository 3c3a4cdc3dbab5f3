"""The package openai of PyPI, which reads the answer to one request."""

import json

from openai import AsyncOpenAI
from protocol import serve, version

CAN = ["headers", "close", "closeOn", "error", "closed", "tls"]
MESSAGES = [{"role": "user", "content": "hello"}]


async def connect(options, say):
    headers = options.get("headers")
    async with AsyncOpenAI(base_url=options["url"], api_key="key", default_headers=headers) as client:
        request = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        async with await request as chunks:
            async for chunk in chunks:
                if say.event(json.dumps(chunk.to_dict(), separators=(",", ":"))):
                    return


serve({"name": "openai", "version": version("openai"), "kind": "reader", "can": CAN}, connect)
