"""asyncpg: one statement at a time on each connection, prepared; tasks wait for a free one."""

import asyncio
import sys
import time
from pathlib import Path

# This file has the library's name: it must not be found instead of it.
sys.path = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).parent]
try:
    import asyncpg
except ImportError:
    asyncpg = None
sys.path.append(str(Path(__file__).parent))
from _closed_loop import check, main, parameters, sql_of  # noqa: E402


async def ask_until_end(free, workload, clock):
    began = time.perf_counter()
    while clock.going(began):
        key, values = parameters(workload)
        statement = await free.get()
        rows = await statement.fetch(*values)
        free.put_nowait(statement)
        check(workload, key, rows)
        now = time.perf_counter()
        clock.ended(began, now)
        began = now


async def loops(url, workload, connections, in_flight, clock):
    free = asyncio.LifoQueue()
    opened = []
    for _ in range(connections):
        connection = await asyncpg.connect(url)
        opened.append(connection)
        free.put_nowait(await connection.prepare(sql_of(workload, "$1")))
    await asyncio.gather(*(ask_until_end(free, workload, clock) for _ in range(in_flight)))
    for connection in opened:
        await connection.close()


main(asyncpg is not None, loops)
