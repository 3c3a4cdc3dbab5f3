import asyncio
from collections.abc import AsyncIterable

import uvicorn
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

app = FastAPI()
alive = 0


@app.get("/", response_class=EventSourceResponse)
async def stream() -> AsyncIterable[str]:
    global alive
    alive += 1
    try:
        while True:
            yield "x" * 65536
            await asyncio.sleep(0)
    finally:
        alive -= 1


@app.get("/alive")
async def count() -> int:
    return alive


uvicorn.run(app, host="127.0.0.1", port=8080)
