"""Opens five streams, reads nothing, leaves; then asks each 5 s how many generators are alive."""

import socket
import time
from urllib.request import urlopen


def alive():
    return urlopen("http://127.0.0.1:8080/alive").read().decode()


clients = []
for _ in range(5):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", 8080))
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    clients.append(client)
time.sleep(2)
print("connected:", alive())
for client in clients:
    client.close()
for seconds in range(5, 65, 5):
    time.sleep(5)
    print(f"{seconds} s after they left:", alive())
