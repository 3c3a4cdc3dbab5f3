# One listening stream for each session, and the place of a client that has left is not freed: a client that
# lost the connection and reconnects is refused with 409 for two minutes.
import time
from mcp import Mcp, serve

class Case(Mcp):
    def listen(self, r, name):
        s = self.sessions[name]
        if time.monotonic() - s.get('listening', -999) < 120:
            return self.refuse(r, '409 Conflict', 'one stream for each session')
        s['listening'] = time.monotonic()
        super().listen(r, name)

serve(Case())
