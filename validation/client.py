"""Open-loop clients: every request is sent at its own time, whatever became of those before.

A latency runs from the moment at which the request was due, so a late client does not hide it.
"""

import asyncio

PATIENCE = 20.0  # seconds; no answer by then counts as `other`


class Answer:
    """What became of a request: its HTTP status (None without one), its latency in seconds, and
    how late its backend had been at most by then."""

    def __init__(self, status, latency, late):
        self.status, self.latency, self.late = status, latency, late


async def ask(port, method):
    """The status of one request over a connection of its own, and what its backend says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"Content-Length: 2\r\n\r\nhi" if method == "POST" else b"\r\n"
    try:
        head = b"%s / HTTP/1.1\r\nHost: backend\r\nConnection: close\r\n" % method.encode()
        writer.write(head + body)
        line = await reader.readline()
        status, said = int(line.split()[1]), await reader.read()
        return status, float(said.splitlines()[-1]) if status == 200 else 0.0
    finally:
        writer.close()


async def send(port, method, due):
    """Sends a request when it is due, by the clock of the event loop."""
    clock = asyncio.get_running_loop()
    await asyncio.sleep(due - clock.time())
    try:
        status, late = await asyncio.wait_for(ask(port, method), PATIENCE)
    except (OSError, IndexError, ValueError, asyncio.TimeoutError):
        status, late = None, 0.0
    return Answer(status, clock.time() - due, late)


async def send_all(port, method, start, times):
    """The answers to the requests that are due at `times`, counted from `start`."""
    return await asyncio.gather(*(send(port, method, start + time) for time in times))
