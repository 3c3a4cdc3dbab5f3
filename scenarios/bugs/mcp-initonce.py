# One transport for all, which can be initialized once.
from mcp import Mcp, serve

class Case(Mcp):
    def initialize(self, r, message):
        if self.sessions:
            return self.refuse(r, '400 Bad Request', 'Server already initialized')
        super().initialize(r, message)

serve(Case())
