"""A client in Python, for trio and asyncio.

```python
async with connect("ws://127.0.0.1:8765/v1/socket", token=token) as client:
    attempt = await client.start("trail_of_triumph")
    await client.progress(attempt["attemptId"], {"streak": 1})
    async for board in client.watch(attempt["leaderboardId"], limit=10):
        print(board.version, board.own, board.entries)
```
"""

from kraty_actors.client.board import BoardView as BoardView
from kraty_actors.client.client import Client as Client
from kraty_actors.client.client import connect as connect
from kraty_actors.client.link import ConnectionLost as ConnectionLost
from kraty_actors.client.operators import OperatorCalls as OperatorCalls
from kraty_actors.client.servers import ServerCalls as ServerCalls
from kraty_actors.client.watch import Watch as Watch
from kraty_protocol.errors import Refused as Refused
