"""A StreamingHttpResponse over an endless generator, on Django's own `runserver`."""

import json
import os
import time
from itertools import count

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import StreamingHttpResponse
from django.urls import path

# What `startproject` writes, without the parts that need a database.
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


def stream(request):
    def generate():
        for n in count(1):
            yield f"data: {json.dumps({'n': n, 'time': time.time()})}\n\n"
            time.sleep(0.2)

    response = StreamingHttpResponse(generate(), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    return response


urlpatterns = [path("stream", stream)]

if __name__ == "__main__":
    address = f"127.0.0.1:{os.environ['PORT']}"
    execute_from_command_line([__file__, "runserver", "--noreload", "--skip-checks", address])
