"""The stream of most Flask tutorials: a generator of `data:` lines and nothing else."""

import json
import os
import time
from itertools import count

from flask import Flask, Response, stream_with_context

app = Flask(__name__)


@app.route("/stream")
def stream():
    def generate():
        for n in count(1):
            yield f"data: {json.dumps({'n': n, 'time': time.time()})}\n\n"
            time.sleep(0.2)

    return Response(stream_with_context(generate()), mimetype="text/event-stream")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
