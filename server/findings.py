"""What a set-up is found to be: judged from values, each finding with what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from bot.providers.prices import model_of, price_of
from bot.providers.stages import STAGES, name_of
from server.settings import Settings, is_loopback

Level = Literal["ok", "warning", "error"]

MB = 2**20
# Below the first no call is sure to be kept, below the second a large index is not.
LEAST_DISK_MB, GOOD_DISK_MB = 500, 2_000
# What Jarvis takes without a call: databases, retrieval, speech, the parent of bots.
OWN_MEMORY_MB = 700
LEAST_CORES = 2
OLDEST_PGVECTOR = (0, 8)
CLOCK_SECS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; the remedy is None where all is well."""

    level: Level
    about: str
    said: str
    remedy: str | None = None


def disk(free_mb: int, *, folder: str) -> Finding:
    """Whether there is room for what is kept."""
    said = f"{free_mb:,} MB are free at {folder}"
    if free_mb < LEAST_DISK_MB:
        return Finding("error", "disk", said, "Free some space, or set JARVIS_DATA_DIR to a larger disk.")
    if free_mb < GOOD_DISK_MB:
        return Finding("warning", "disk", said, "Free some space before many documents are indexed.")
    return Finding("ok", "disk", said)


def memory(available_mb: int, settings: Settings, *, runs: bool) -> Finding:
    """Whether all lines find the memory that they need; a server that runs has taken its own part already."""
    need = settings.max_sessions * settings.bot_memory_mb + (0 if runs else OWN_MEMORY_MB)
    said = f"{available_mb:,} MB are available"
    if available_mb >= need:
        return Finding("ok", "memory", said)
    fewer = f"{said}; {settings.max_sessions} calls need about {need:,}"
    return Finding("warning", "memory", fewer, "Set JARVIS_MAX_SESSIONS lower, or give the host more memory.")


def cores(count: float) -> Finding:
    """Whether a call has a core beside the server's."""
    if count >= LEAST_CORES:
        return Finding("ok", "cores", f"{count:g} cores")
    return Finding("warning", "cores", f"{count:g} cores", "Give the host two cores, or expect late answers.")


def pgvector(version: str | None) -> Finding:
    """Whether Postgres has the extension, new enough."""
    if version is None:
        return Finding("error", "database", "Postgres has no pgvector", "Install pgvector 0.8 or later on its host.")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_PGVECTOR:
        return Finding("error", "database", f"pgvector {version} is too old", "Install pgvector 0.8 or later.")
    return Finding("ok", "database", f"Postgres answers, with pgvector {version}")


def clock(now: float, *, built: float, elsewhere: Mapping[str, float]) -> Finding:
    """Whether the clock is right, as far as the files of Jarvis and the clocks of others (seconds ahead) tell."""
    if now < built:
        return Finding("error", "clock", "the clock is behind Jarvis' own files", "Set it, and let NTP keep it.")
    wrong = {name: secs for name, secs in elsewhere.items() if abs(secs) > CLOCK_SECS}
    if wrong:
        said = ", ".join(
            f"{name} is {abs(secs):.0f} s {'ahead' if secs > 0 else 'behind'}" for name, secs in wrong.items()
        )
        return Finding("warning", "clock", said, "Let NTP keep the clocks of all hosts: keys and links expire by them.")
    return Finding("ok", "clock", "nothing says that the clock is wrong")


def budget(settings: Settings) -> Finding:
    """Whether the caps that are set can hold; raises `SetupError` where prices or providers are set wrong."""
    table, today = settings.price_table(), datetime.now(UTC).date()
    if settings.budget_call_usd is None and settings.budget_day_usd is None:
        return Finding("ok", "budget", "no cap is set")
    unpriced: list[str] = []
    own: list[str] = []
    for stage in STAGES:
        for each in settings.set_up.chosen(stage):
            price = price_of(each, stage, table, model=model_of(each), day=today)
            if price is None:
                unpriced.append(f"{stage} {name_of(type(each))}")
            elif each.is_own_server and price.is_free:
                own.append(f"{stage} {name_of(type(each))}")
    if unpriced:
        return Finding(
            "warning",
            "budget",
            f"a cap can't hold; no price is known of {', '.join(unpriced)} with the model that is set",
            "Write it into a file of prices, and set JARVIS_PRICES to that.",
        )
    said = f"; taken as free: {', '.join(own)}" if own else ""
    return Finding("ok", "budget", f"every provider has a price{said}")


def exposure(settings: Settings) -> Sequence[Finding]:
    """How callers reach the server, and who may."""
    url = urlsplit(settings.public_url or "")
    outside = url.hostname is not None and not is_loopback(url.hostname)
    found = [_address(settings, scheme=url.scheme, outside=outside)]
    if outside and settings.offered_addresses:
        found.append(
            Finding(
                "warning",
                "media",
                "calls' sound is offered at " + ", ".join(settings.offered_addresses) + " alone",
                'Set JARVIS_MEDIA_ADDRESSES=["0.0.0.0"], so that callers elsewhere are heard.',
            )
        )
    if settings.public_calls == "everyone":
        remedy = "Set JARVIS_PUBLIC_CALLS=this_host where the page is not for the public; each call costs a line."
        found.append(Finding("warning", "public calls", "everyone who reaches the page may call", remedy))
    else:
        found.append(Finding("ok", "public calls", f"without a key: {settings.public_calls.replace('_', ' ')}"))
    return found


def _address(settings: Settings, *, scheme: str, outside: bool) -> Finding:
    at = settings.public_url or f"http://{settings.host}:{settings.port}"
    https = "Put a reverse proxy with a certificate before it, and set JARVIS_PUBLIC_URL to its https:// address."
    if settings.public_url is not None and scheme not in ("http", "https"):
        return Finding("error", "address", "JARVIS_PUBLIC_URL is no address", "Write it as https://voice.example.com.")
    if outside and scheme == "http":
        return Finding("error", "address", f"{at} is not HTTPS: browsers give it no microphone", https)
    if settings.public_url is None and not is_loopback(settings.host):
        return Finding("warning", "address", f"{at} is not HTTPS: browsers elsewhere give it no microphone", https)
    return Finding("ok", "address", f"callers reach it at {at}")
