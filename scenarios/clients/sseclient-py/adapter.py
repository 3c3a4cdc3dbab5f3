"""sseclient-py, reading a response of requests as its documentation shows."""

import requests
from protocol import serve, version
from sseclient import SSEClient

CAN = ["types", "headers", "method", "body", "closeOn", "error", "closed", "pause", "tls"]
HELLO = {"name": "sseclient-py", "version": version("sseclient-py"), "kind": "reader", "can": CAN}


def connect(options, say):
    headers = {"Accept": "text/event-stream", **options.get("headers", {})}
    more = {"headers": headers, "data": options.get("body")}
    response = requests.request(options.get("method", "GET"), options["url"], stream=True, **more)
    say.client = SSEClient(response)
    for event in say.client.events():
        if say.event(event.data, event.event):
            return


serve(HELLO, connect)
