# A stream in the event store is named by the id of its request alone, as in the Python SDK with the event store of its
# examples: a client that resumes also gets the events of other sessions' calls with that id, and any session may resume it.
import json
from mcp import Stored, serve

class Case(Stored):
    def stream(self, name, message):
        return json.dumps(message['id'])

    def may_resume(self, name, stream):
        return True

serve(Case())
