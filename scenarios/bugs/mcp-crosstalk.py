# The client that waits for a response is looked up by the id of the request alone, for all sessions: two clients that count
# alike get each other's results, or none.
import json, time
from mcp import Mcp, serve

class Case(Mcp):
    waiting = {}
    def call(self, r, name, message):
        r.head()
        self.waiting[json.dumps(message['id'])] = r
        answer = {'jsonrpc': '2.0', 'id': message['id'], **self.result(name, message)}
        other = self.waiting.pop(json.dumps(message['id']), None)
        if other is not None:
            other.write('data: ' + json.dumps(answer) + '\n\n')
            other.end()
        while r is not other and not r.left():
            time.sleep(0.05)

serve(Case())
