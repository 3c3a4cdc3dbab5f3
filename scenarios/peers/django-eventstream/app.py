"""django-eventstream as its README sets it up: ASGI, no storage, two channels, on uvicorn."""

import asyncio
import os

import uvicorn
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="not a secret: the server listens on loopback for a test",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django_eventstream"],
    MIDDLEWARE=[],
)

import django  # noqa: E402

django.setup()

import django_eventstream  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django_eventstream import send_event  # noqa: E402
from django_eventstream.views import get_listener_manager  # noqa: E402


def publish(request):
    send_event("published", "message", request.body.decode(), json_encode=False)
    return HttpResponse(status=204)


def gauge(request):
    """The library's own list of listeners."""
    listeners = get_listener_manager().listeners_by_channel
    return JsonResponse({"active": sum(len(some) for some in listeners.values())})


urlpatterns = [
    path("stream", include(django_eventstream.urls), {"channels": ["ticks"]}),
    path("published", include(django_eventstream.urls), {"channels": ["published"]}),
    path("publish", publish),
    path("active", gauge),
]


async def ticks():
    n = 0
    while True:
        n += 1
        await sync_to_async(send_event)("ticks", "message", {"n": n})
        await asyncio.sleep(0.2)


async def main():
    asyncio.create_task(ticks())
    config = uvicorn.Config(
        get_asgi_application(),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
