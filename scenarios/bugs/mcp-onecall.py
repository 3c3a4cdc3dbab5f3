# A second call of a session is refused while the first one is open.
from mcp import Mcp, serve

class Case(Mcp):
    def call(self, r, name, message):
        session = self.sessions[name]
        if session.get('busy'):
            return self.refuse(r, '409 Conflict', 'a call is open')
        session['busy'] = True
        try:
            super().call(r, name, message)
        finally:
            session['busy'] = False

serve(Case())
