# If the buffer is full, the event at the head of the queue is written a second time.
import select, socket
from mini import App, serve

class Twice(App):
    def stream(self, r):
        r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        write = r.write
        def again(data):
            write(data)
            if not select.select([], [r.sock], [], 0)[1]:
                write(data)
        r.write = again
        super().stream(r)

serve(Twice())
