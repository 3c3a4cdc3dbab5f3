# The id of the session is a field of the server, set at the start of `initialize` and read at its end: two clients
# that initialize at the same time get the same session, whatever their ids are.
import time, uuid
from mcp import Mcp, serve

class Case(Mcp):
    def new_session(self):
        self.now = uuid.uuid4().hex
        time.sleep(0.3)
        return self.now

serve(Case())
