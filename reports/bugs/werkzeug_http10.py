from werkzeug.serving import run_simple
from werkzeug.wrappers import Response


def app(environ, start_response):
    response = Response(iter(["data: hello\n\n"]), mimetype="text/event-stream")
    return response(environ, start_response)


run_simple("127.0.0.1", 8080, app, threaded=True)
