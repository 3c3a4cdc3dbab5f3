"""The decoder inside the package anthropic."""

import base64
import json
import sys
import time

from anthropic._streaming import SSEDecoder


def parse(chunks):
    return [
        {"type": event.event or "message", "data": event.data, "lastEventId": event.id or ""}
        for event in SSEDecoder().iter_bytes(iter(chunks))
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
