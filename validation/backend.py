"""A backend: answers each request after a fixed time, without using CPU.

`backend.py SECONDS STATUS` takes a free port, prints it, and serves until it is killed. Each
connection carries one request. An answer says how late the process has been at most.
"""

import asyncio
import re
import sys

from heartbeat import Heartbeat

BACKLOG = 4096  # connections that a stopped backend still accepts, or its queue would refuse


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    await reader.readexactly(int(length.group(1)) if length else 0)


async def serve(seconds, status):
    heartbeat = Heartbeat()

    async def answer(reader, writer):
        try:
            await read_request(reader)
            await asyncio.sleep(seconds)
            head = f"HTTP/1.1 {status} Status\r\nContent-Length: 8\r\nConnection: close\r\n\r\n"
            writer.write(f"{head}{heartbeat.late:8.4f}".encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the proxy has gone away
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(server.serve_forever(), heartbeat.beat())


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
