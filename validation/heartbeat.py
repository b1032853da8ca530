"""How long a process was kept waiting for a CPU."""

import asyncio

PERIOD = 0.01


class Heartbeat:
    """The longest wait so far, in seconds."""

    def __init__(self):
        self.late = 0.0

    async def beat(self):
        clock = asyncio.get_running_loop()
        while True:
            before = clock.time()
            await asyncio.sleep(PERIOD)
            self.late = max(self.late, clock.time() - before - PERIOD)
