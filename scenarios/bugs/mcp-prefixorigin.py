# Allows every origin that begins with a local one.
from mcp import Mcp, serve

class Case(Mcp):
    def allows(self, r):
        origin = r.fields.get('origin', 'http://localhost')
        return origin.startswith(('http://localhost', 'http://127.0.0.1'))

serve(Case())
