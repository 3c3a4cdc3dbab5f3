# Checks the host and not the origin: DNS rebinding is stopped, but not as the protocol requires.
from mcp import LOCAL, Mcp, serve

class Case(Mcp):
    def allows(self, r):
        return r.fields.get('host', '').split(':')[0] in LOCAL

serve(Case())
