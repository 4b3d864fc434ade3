"""How much work an engine takes on at once, without waiting devices taking the place of work.

A request that waits for an answer gives its slot back as soon as the event loop has nothing
else to do: silent devices wait side by side, and all of them together add no more than one
device's timeouts to a poll. While the loop is late, answers are waiting to be decoded, and more
requests would only make the engine miss its own timeouts.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_PATIENCE = 0.2  # seconds that a waiting request keeps its slot at most
_TICK = 0.02  # seconds; a loop that is on time twice in a row has nothing left to work on
_ON_TIME = 0.005


class Slots:
    """Working slots.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)

    async def __aenter__(self) -> None:
        await self._free.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._free.release()

    async def request(self, send: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The result of a request, which holds a slot only while there is work on it."""
        async with self:
            task = asyncio.ensure_future(send())
            await _wait_while_busy(task)
        return await task


async def _wait_while_busy(task: "asyncio.Future[Any]") -> None:
    """Wait for a request until it is clear that the network, not our own work, keeps it."""
    loop = asyncio.get_running_loop()
    began, on_time = loop.time(), 0
    while on_time < 2 and loop.time() - began < _PATIENCE:
        tick = loop.time()
        done, _ = await asyncio.wait({task}, timeout=_TICK)
        if done:
            return
        on_time = on_time + 1 if loop.time() - tick < _TICK + _ON_TIME else 0
