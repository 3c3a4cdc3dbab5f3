"""The client of sseclient-py, on the chunks of a response."""

import base64
import json
import sys
import time

import sseclient


def parse(chunks):
    return [
        {"type": event.event, "data": event.data, "lastEventId": event.id or ""}
        for event in sseclient.SSEClient(iter(chunks)).events()
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
