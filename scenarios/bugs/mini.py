"""A small event-stream server to put one fault into: `python3 CASE.py PORT`, then GET /events on 127.0.0.1."""
import re, select, socket, sys, threading, time


class Gone(Exception):
    pass


class Request:
    def __init__(self, sock, head, body):
        lines = head.decode('latin-1').split('\r\n')
        self.sock, self.body = sock, body
        self.method, self.path, self.version = lines[0].split(' ')
        self.fields = {k.lower(): v.strip() for k, v in (l.split(':', 1) for l in lines[1:] if l)}
        self.old = self.version == 'HTTP/1.0'
        self.close = self.old or self.fields.get('connection', '').lower() == 'close'
        self.poll = select.poll()
        self.poll.register(sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)

    def left(self):
        return bool(self.poll.poll(0))

    def head(self, status='200 OK', fields=(), stream=True):
        out = [f'HTTP/1.1 {status}']
        if stream:
            out += ['Content-Type: text/event-stream', 'Cache-Control: no-cache, no-transform', 'X-Accel-Buffering: no']
            if not self.old:
                out.append('Transfer-Encoding: chunked')
        out += list(fields)
        if self.close:
            out.append('Connection: close')
        self.raw(('\r\n'.join(out) + '\r\n\r\n').encode())

    def answer(self, status, body=b'', fields=(), kind='text/plain'):
        own = [f'Content-Type: {kind}', f'Content-Length: {len(body)}']
        self.head(status, own + list(fields), stream=False)
        self.raw(b'' if self.method == 'HEAD' else body)

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone()

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.raw(data if self.old else b'%x\r\n%s\r\n' % (len(data), data))

    def end(self):
        if not self.old:
            self.raw(b'0\r\n\r\n')

    def sleep(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.left():
                raise Gone()
            time.sleep(min(0.02, max(0, until - time.monotonic())))


class App:
    """One log for all, an event each `every` seconds, ids that can be resumed."""
    every, keep = 0.1, 200

    def __init__(self):
        self.log, self.first, self.news = [], 1, threading.Condition()
        threading.Thread(target=self.produce, daemon=True).start()

    def produce(self):
        while True:
            time.sleep(self.every)
            self.publish(f'tick {self.first + len(self.log)}')

    def publish(self, text):
        with self.news:
            self.log.append(text)
            gone = max(0, len(self.log) - self.keep)
            del self.log[:gone]
            self.first += gone
            self.news.notify_all()

    def frame(self, n, text):
        return f'id: {n}\n' + ''.join(f'data: {l}\n' for l in re.split('\r\n|\r|\n', text)) + '\n'

    def start(self, r):
        last = r.fields.get('last-event-id', '')
        known = last.isdigit() and self.first <= int(last) < self.first + len(self.log)
        return int(last) + 1 if known else self.first + len(self.log)

    def stream(self, r):
        r.head()
        r.write('retry: 500\n\n')
        at, quiet = self.start(r), time.monotonic()
        while True:
            with self.news:
                self.news.wait(0.02)
                late, new = at < self.first, self.log[max(0, at - self.first):]
            if late or r.left():
                raise Gone()                 # it reads too slowly: it may reconnect with its id
            for text in new:
                r.write(self.frame(at, text))
                at, quiet = at + 1, time.monotonic()
            if time.monotonic() - quiet > 5:
                r.write(': still here\n\n')
                quiet = time.monotonic()

    def handle(self, r):
        path = r.path.split('?')[0]
        if path != '/events':
            self.other(r, path)
        elif r.method == 'GET':
            self.stream(r)
        elif r.method == 'HEAD':
            r.head()
        else:
            r.answer('405 Method Not Allowed', fields=['Allow: GET, HEAD'])

    def other(self, r, path):
        if r.method == 'POST' and path == '/publish':
            self.publish(r.body.decode())
            return r.answer('202 Accepted')
        r.answer('404 Not Found')


def connection(sock, handle):
    data = b''
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            while b'\r\n\r\n' not in data:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
            head, data = data.split(b'\r\n\r\n', 1)
            r = Request(sock, head, b'')
            length = int(r.fields.get('content-length', 0))
            while len(data) < length:
                data += sock.recv(65536)
            r.body, data = data[:length], data[length:]
            handle(r)
            if r.close:
                return
    except (Gone, OSError, ValueError):
        pass
    finally:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


def serve(app):
    listener = socket.create_server(('127.0.0.1', int(sys.argv[1])), backlog=512)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=connection, args=(sock, app.handle), daemon=True).start()
