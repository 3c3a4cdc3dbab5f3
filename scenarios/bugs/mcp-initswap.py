# The stream that waits for the result of `initialize` is looked up by the JSON-RPC id alone: two clients that
# initialize at the same time with the same id get each other's answer, and so each other's session.
import json, threading, time
from mcp import Mcp, serve

class Case(Mcp):
    def __init__(self):
        super().__init__()
        self.inits, self.gate = {}, threading.Lock()

    def initialize(self, r, message):
        key, done = json.dumps(message['id']), threading.Event()
        mine = {'to': r, 'done': done, 'own': done, 'r': r}
        with self.gate:
            other = self.inits.pop(key, None)
            if other is None:
                self.inits[key] = mine
            else:
                other['to'], other['done'] = r, mine['own']
                mine['to'], mine['done'] = other['r'], other['own']
        time.sleep(0.3)              # the work of initializing
        with self.gate:
            if self.inits.get(key) is mine:
                del self.inits[key]
        super().initialize(mine['to'], message)
        mine['done'].set()
        mine['own'].wait(5)

serve(Case())
