"""A request that the next provider is asked where one fails before anything of its answer went out."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from bot.desk.errors import DeskUnavailableError
from processors.failover.providers import Providers

T = TypeVar("T")


async def by_any(providers: Providers, ask: Callable[[str], AsyncGenerator[T]]) -> AsyncGenerator[T]:
    """What the first provider that can answers; `ask` is given its name.

    Raises what the last one raised that was asked. A `DeskUnavailableError` is held against the provider; any other
    end, such as a listener who leaves or a request that is wrong, says nothing of it.
    """
    name, tried = providers.next(), set[str]()
    while name is not None:
        tried.add(name)
        providers.tried(name)
        began = False
        judged = False
        try:
            async with aclosing(ask(name)) as parts:
                async for part in parts:
                    began = True
                    yield part
            providers.worked(name)
            judged = True
            return
        except DeskUnavailableError as error:
            providers.failed(name, error.failure)
            judged = True
            following = providers.next(besides=tried)
            if began or following is None:
                raise
            providers.took_over(following, before=name, failure=error.failure)
            name = following
        finally:
            if not judged:
                providers.left(name)
