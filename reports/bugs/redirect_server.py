# Two origins: http://127.0.0.1:8080/ redirects to http://127.0.0.1:8081/, which prints the
# credentials that it gets.
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Redirects(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:8081/")
        self.send_header("Content-Length", "0")
        self.end_headers()


class Prints(BaseHTTPRequestHandler):
    def do_GET(self):
        print("port 8081 gets Authorization:", self.headers["Authorization"], flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: x\n\n")


threading.Thread(target=HTTPServer(("127.0.0.1", 8081), Prints).serve_forever, daemon=True).start()
HTTPServer(("127.0.0.1", 8080), Redirects).serve_forever()
