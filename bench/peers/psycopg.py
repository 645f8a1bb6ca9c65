"""psycopg 3: its pipeline mode, where the statements of a burst share a Sync; binary."""

import asyncio
import sys
import time
from pathlib import Path

# This file has the library's name: it must not be found instead of it.
sys.path = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).parent]
try:
    import psycopg
except ImportError:
    psycopg = None
sys.path.append(str(Path(__file__).parent))
from _closed_loop import check, main, parameters, sql_of  # noqa: E402


async def burst(connection, workload, n):
    """Sends n statements before the first answer, and takes all answers."""
    sql = sql_of(workload, "%s")
    asked = []
    async with connection.pipeline():
        for _ in range(n):
            key, values = parameters(workload)
            cursor = connection.cursor(binary=True)
            await cursor.execute(sql, values, prepare=True)
            asked.append((key, cursor))
    for key, cursor in asked:
        check(workload, key, await cursor.fetchall() if cursor.description else [])


async def ask_until_end(connection, workload, n, clock):
    began = time.perf_counter()
    while clock.going(began):
        await burst(connection, workload, n)
        now = time.perf_counter()
        for _ in range(n):
            clock.ended(began, now)
        began = now


async def loops(url, workload, connections, in_flight, clock):
    opened = [await psycopg.AsyncConnection.connect(url, autocommit=True)
              for _ in range(connections)]
    n = max(1, in_flight // connections)
    await asyncio.gather(*(ask_until_end(c, workload, n, clock) for c in opened))
    for connection in opened:
        await connection.close()


main(psycopg is not None, loops)
