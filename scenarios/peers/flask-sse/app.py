"""Flask-SSE's quickstart: one blueprint, Redis, gunicorn with gevent."""

import os
import threading
import time

from flask import Flask, request
from flask_sse import sse

app = Flask(__name__)
app.config["REDIS_URL"] = f"unix://{os.getcwd()}/redis.sock"
app.register_blueprint(sse, url_prefix="/stream")


@app.route("/publish", methods=["POST"])
def publish():
    sse.publish(**request.json, channel="published")
    return "", 204


@app.route("/active")
def gauge():
    """The number of generators that still subscribe, from Redis."""
    with app.app_context():
        return {"active": sum(n for _, n in sse.redis.pubsub_numsub("sse", "published"))}


def ticks():
    n = 0
    while True:
        n += 1
        with app.app_context():
            sse.publish({"n": n}, type="tick")
        time.sleep(0.2)


threading.Thread(target=ticks, daemon=True).start()
