# Each `initialize` replaces the transport, and with it the session of the client before.
from mcp import Mcp, serve

class Case(Mcp):
    def initialize(self, r, message):
        self.sessions.clear()
        super().initialize(r, message)

serve(Case())
