"""A process that appends to a register until it is killed.

    python -m tests.simulators.appending DIRECTORY FIRST COUNT

Prints the id of each entry once it is acknowledged. Ids count from FIRST; COUNT 0 is for ever.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from gateway.adapters.database import open_database
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.store_keys import StoreKeys
from gateway.core.register import Issue
from tests.simulators.drafts import a_draft, a_subject, an_id


async def append(directory: Path, first: int, count: int) -> None:
    register = DatabaseRegister(open_database("sqlite:///gateway.db", directory), StoreKeys(bytes(32)))
    numbers = iter(range(first, first + count)) if count else itertools.count(first)

    async def caller() -> None:
        for number in numbers:
            issue = Issue("d", 1, f"p-{number}", "pupil", None, None, bytes(16))
            await register.append(a_draft(number, released=(a_subject(number % 5),), issued=(issue,)))
            sys.stdout.write(f"{an_id(number)}\n")
            sys.stdout.flush()

    await asyncio.gather(*(caller() for _ in range(8)))
    register.close()


if __name__ == "__main__":
    asyncio.run(append(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
