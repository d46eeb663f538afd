"""What a site asks of robots."""

from collections.abc import Callable
from urllib.robotparser import RobotFileParser

from knowledge.errors import DocumentError
from knowledge.fetching.failures import StatusError
from knowledge.fetching.fetcher import ROBOT, Fetcher

# As much as RFC 9309 asks a robot to read.
_MAX_ROBOTS_BYTES = 500 * 1024


def allowance(robots: bytes) -> Callable[[str], bool]:
    """Return the question whether a URL may be fetched, as a robots.txt answers it.

    The first rule that a path begins with counts; wildcards inside a rule are not understood and match nothing.
    """
    parser = RobotFileParser()
    parser.parse(robots[:_MAX_ROBOTS_BYTES].decode("utf-8-sig", errors="replace").splitlines())
    return lambda url: parser.can_fetch(ROBOT, url)


async def robots_of(origin: str, *, fetcher: Fetcher) -> Callable[[str], bool]:
    """Return what the robots.txt of an origin (`https://example.com`) allows; all, where there is none.

    Raises DocumentError when the site does not say whether there is one: then nothing of it may be fetched.
    """
    url = f"{origin}/robots.txt"
    try:
        return allowance((await fetcher.fetch(url, content_types=None)).content)
    except StatusError as error:
        if 400 <= error.status < 500 and error.status != 429:
            return allowance(b"")
        raise _unknown(origin, error) from error
    except DocumentError as error:
        raise _unknown(origin, error) from error


def _unknown(origin: str, error: DocumentError) -> DocumentError:
    return DocumentError(origin, f"its robots.txt, which says what may be read, cannot be fetched: {error.reason}")
