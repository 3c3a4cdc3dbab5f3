# The stream for a response is a field of the session: of several calls at the same time only the last one is answered.
import time
from mcp import Mcp, serve

class Case(Mcp):
    def call(self, r, name, message):
        session = self.sessions[name]
        session['stream'] = r
        time.sleep(0.3)
        if session['stream'] is r:
            return super().call(r, name, message)
        r.head()
        while True:
            r.sleep(1)

serve(Case())
