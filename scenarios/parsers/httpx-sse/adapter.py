"""The decoder of httpx-sse, as a response of httpx reaches it."""

import base64
import json
import sys
import time

import httpx
from httpx_sse import EventSource


def parse(chunks):
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, content=iter(chunks))
    return [
        {"type": event.event, "data": event.data, "lastEventId": event.id}
        for event in EventSource(response).iter_sse()
    ]


for line in sys.stdin:
    question = json.loads(line)
    chunks = [base64.b64decode(chunk) for chunk in question["chunks"]]
    answer = {"id": question["id"]}
    try:
        began = time.perf_counter_ns()
        answer["events"] = parse(chunks)
        answer["nanos"] = time.perf_counter_ns() - began
    except Exception as error:
        answer = {"id": question["id"], "error": repr(error)}
    print(json.dumps(answer), flush=True)
