"""A StreamingHttpResponse over a generator, on Django's own `runserver`."""

import json
import os
import queue
import threading
import time
from itertools import count

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

# The settings that `startproject` writes, without the parts that need a database.
settings.configure(
    DEBUG=True,
    SECRET_KEY="not a secret: the server listens on loopback for a test",
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)

queues = []
active = 0
lock = threading.Lock()


def counted(generator):
    """Counts the producers that are alive."""
    global active
    with lock:
        active += 1
    try:
        yield from generator
    finally:
        with lock:
            active -= 1


def stream(request):
    def generate():
        for n in count(1):
            yield f"data: {json.dumps({'n': n, 'time': time.time()})}\n\n"
            time.sleep(0.2)

    response = StreamingHttpResponse(counted(generate()), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    return response


def published(request):
    messages = queue.Queue()
    queues.append(messages)

    def generate():
        try:
            while True:
                yield f"data: {messages.get()}\n\n"
        finally:
            queues.remove(messages)

    response = StreamingHttpResponse(counted(generate()), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    return response


@csrf_exempt
def publish(request):
    for messages in queues:
        messages.put(request.body.decode())
    return HttpResponse(status=204)


def gauge(request):
    return JsonResponse({"active": active})


urlpatterns = [
    path("stream", stream),
    path("published", published),
    path("publish", publish),
    path("active", gauge),
]

if __name__ == "__main__":
    address = f"127.0.0.1:{os.environ['PORT']}"
    execute_from_command_line([__file__, "runserver", "--noreload", "--skip-checks", address])
