# Serves a page on port 8080, whose EventSource reads a stream of port 8081. That server goes away
# for three seconds after its first stream; the page reports each event and its readyState.
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<script>
const source = new EventSource("http://127.0.0.1:8081/");
for (const type of ["open", "message", "error"]) {
  source.addEventListener(type, () => fetch(`/${type}/${source.readyState}`, { method: "POST" }));
}
</script>"""
STREAM = b"""HTTP/1.1 200 OK\r
Content-Type: text/event-stream\r
Access-Control-Allow-Origin: *\r
Connection: close\r
\r
retry: 1000\ndata: x\n\n"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(PAGE)

    def do_POST(self):
        print(f"{time.time() - began:.1f} s: event and readyState: {self.path}", flush=True)
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def streams():
    while True:
        with socket.create_server(("127.0.0.1", 8081)) as server:
            client, _ = server.accept()
            print(f"{time.time() - began:.1f} s: a stream, then no server for 3 s", flush=True)
            client.recv(65536)
            client.sendall(STREAM)
            client.close()
        time.sleep(3)


began = time.time()
threading.Thread(target=streams, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", 8080), Page).serve_forever()
