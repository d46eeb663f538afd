"""A Jarvis that uses the doubles, on a data directory of its own."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.providers.stages import Stage
from evals.drill.errors import DrillError
from evals.kept import copy
from evals.program import Jarvis, ProgramError

# A call of a drill is short, and waits for none of this.
MANNERS = {"JARVIS_GREETING": "Hello.", "JARVIS_WARM_BOTS": "1", "JARVIS_KEEP_CALLS_DAYS": "0"}
METRICS_SECS = 5.0
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Stack:
    """The server; `renew` gives it a fresh start, with every circuit closed."""

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str],
        http: aiohttp.ClientSession,
        *,
        make: Callable[..., Jarvis] = Jarvis,
    ) -> None:
        self._folder = folder
        self._variables = {**MANNERS, **variables}
        self._http = http
        self._make = make
        self._jarvis: Jarvis | None = None

    @property
    def url(self) -> str:
        """Where it is called."""
        return self._running.url

    @property
    def key(self) -> str:
        """What opens its operator's routes."""
        return self._running.operator_key()

    async def start(self) -> None:
        """Makes its documents known, and keeps what that took for when it is renewed."""
        prepared = self._folder / "prepared"
        prepared.mkdir(mode=0o755)
        first = self._make(prepared, **self._variables)
        await _start(first)
        await asyncio.to_thread(first.stop)
        await self.renew()

    async def renew(self) -> None:
        """Ends it, and starts one that knows nothing of vendors."""
        await self.stop()
        data = self._folder / "data"
        await asyncio.to_thread(shutil.rmtree, data, ignore_errors=True)
        try:
            await asyncio.to_thread(copy, self._folder / "prepared", data)
        except ProgramError as error:
            raise DrillError(str(error)) from None
        self._jarvis = self._make(data, **self._variables)
        await _start(self._jarvis)

    async def stop(self) -> None:
        """Ends it, by force where it does not end by itself."""
        if self._jarvis is None:
            return
        try:
            await asyncio.to_thread(self._jarvis.stop)
        except subprocess.TimeoutExpired:
            await asyncio.to_thread(self._jarvis.kill)
        self._jarvis = None

    async def failovers(self, stage: Stage) -> float:
        """How many turns of a stage another vendor took over."""
        return sum(value for labels, value in await self._samples("jarvis_failovers_total") if labels["stage"] == stage)

    async def has_open_circuit(self) -> bool:
        """Whether a vendor is not asked, or only to see whether it works again; a server that does not say may well."""
        try:
            return any(value for _, value in await self._samples("jarvis_provider_circuit"))
        except (aiohttp.ClientError, TimeoutError):
            return True

    @property
    def _running(self) -> Jarvis:
        if self._jarvis is None:
            raise DrillError("The Jarvis of the drill does not run.")
        return self._jarvis

    async def _samples(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        headers = {"Authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=METRICS_SECS)
        async with self._http.get(f"{self.url}/metrics", headers=headers, timeout=timeout) as response:
            response.raise_for_status()
            text = await response.text()
        found = re.finditer(rf"^{name}{{(.*)}} (\S+)$", text, re.MULTILINE)
        return [(dict(_LABEL.findall(each[1])), float(each[2])) for each in found]


@asynccontextmanager
async def stack(variables: Mapping[str, str]) -> AsyncIterator[Stack]:
    """One that runs, and is gone afterwards with all that it kept."""
    folder = Path(tempfile.mkdtemp(prefix="jarvis-drill-"))
    folder.chmod(0o755)
    try:
        async with aiohttp.ClientSession() as http:
            running = Stack(folder, variables, http)
            try:
                await running.start()
                yield running
            finally:
                await running.stop()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _start(jarvis: Jarvis) -> None:
    try:
        await asyncio.to_thread(jarvis.start)
    except ProgramError as error:
        raise DrillError(f"Jarvis did not start for the drill: {error}") from None
