"""The address that the server listens on: its own, or shared with one that drains and is about to leave it."""

import json
import socket
import urllib.error
import urllib.request

from server.errors import SetupError
from server.settings import Settings

ASK_SECS = 2.0
ANY_HOST = ("0.0.0.0", "::", "")  # noqa: S104


def bound(settings: Settings) -> socket.socket:
    """A socket at the configured address that does not listen yet; raises `SetupError`.

    A Jarvis that drains lets its successor bind the same address, and stops listening once that one is ready.
    """
    try:
        _bind(settings, shared=False).close()
    except OSError as error:
        if not _drains(settings):
            raise _taken(settings, error) from error
    try:
        return _bind(settings, shared=True)
    except OSError as error:
        raise _taken(settings, error) from error


def shown(host: str) -> str:
    """The host as it stands in an address that others can follow."""
    if host in ANY_HOST:
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def local(host: str) -> str:
    """The host as it stands in an address that this machine can follow."""
    return "127.0.0.1" if host in ANY_HOST else shown(host)


def _bind(settings: Settings, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named as TCP, or asyncio does not switch Nagle's algorithm off and each answer waits 40 ms for its second packet.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((settings.host, settings.port))
        if not shared:
            listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def _drains(settings: Settings) -> bool:
    """Whether what listens there is a Jarvis that drains."""
    try:
        with urllib.request.urlopen(f"http://{local(settings.host)}:{settings.port}/readyz", timeout=ASK_SECS):
            return False
    except urllib.error.HTTPError as error:
        try:
            return json.loads(error.read()).get("draining") is True
        except (ValueError, OSError, AttributeError):
            return False
    except (OSError, ValueError):
        return False


def _taken(settings: Settings, error: OSError) -> SetupError:
    return SetupError(
        f"Port {settings.port} on {settings.host} can't be used ({error.strerror}). Stop what uses it (`jarvis drain` "
        f"lets a Jarvis finish its calls and another start beside it), or choose another: "
        f"jarvis run --port {settings.port + 1} (or set JARVIS_PORT)."
    )
