# A layer reads the whole answer to make an ETag of it: the response headers and ten events, made one each 200 ms, come
# together after two seconds, and the stream ends.
import hashlib
from mini import App, serve

class LateAll(App):
    def stream(self, r):
        parts = []
        for n in range(1, 11):
            parts.append(f'id: {n}\ndata: tick {n}\n\n')
            r.sleep(0.2)
        tag = hashlib.md5(''.join(parts).encode()).hexdigest()
        r.head(fields=[f'ETag: W/"{tag}"'])
        for part in parts:
            r.write(part)
        r.end()

serve(LateAll())
