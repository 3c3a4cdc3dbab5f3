# Serves a page on port 8080 whose EventSource reads two events, the first with a NUL in its id.
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<script>
new EventSource("/stream").onmessage = ({ data }) => fetch(`/event/${data}`, { method: "POST" });
</script>"""
STREAM = b"id: a\0b\ndata: first\n\ndata: second\n\n"


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        is_stream = self.path == "/stream"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if is_stream else "text/html")
        self.end_headers()
        self.wfile.write(STREAM if is_stream else PAGE)

    def do_POST(self):
        print("the page got", self.path, flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", 8080), Server).serve_forever()
