"""What a sitemap says: the pages of a site, or further sitemaps."""

from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from knowledge.errors import DocumentError
from knowledge.fetching.compression import CorruptError, TooLargeError, gunzip, gunzip_beginning, is_gzip

MAX_SITEMAP_BYTES = 25 * 1024 * 1024

_PAGES = "urlset"
_SITEMAPS = "sitemapindex"
_ROOTS = (_PAGES, _SITEMAPS)
_BEGINNING_BYTES = 16 * 1024

# Where an address stands: <urlset><url><loc>. Deeper ones are of pictures and videos.
_LOC_DEPTH = 3


@dataclass(frozen=True)
class Sitemap:
    """The addresses that a sitemap names, in its order: pages, or further sitemaps where it is an index."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def is_sitemap(content: bytes) -> bool:
    """Say whether the bytes, gzipped or not, begin as a sitemap or an index of sitemaps does."""
    beginning = content[:_BEGINNING_BYTES]
    if is_gzip(content):
        beginning = gunzip_beginning(beginning, size=_BEGINNING_BYTES)
    if not beginning.lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n").startswith(b"<"):
        return False
    reader = _Reader()
    try:
        DefusedXMLParser(target=reader, forbid_dtd=True).feed(beginning)
    except DTDForbidden as error:
        return error.name in _ROOTS
    except (ParseError, DefusedXmlException, ValueError):
        pass
    return reader.root in _ROOTS


def parse_sitemap(url: str, content: bytes, *, limit: int = MAX_SITEMAP_BYTES) -> Sitemap:
    """Return what a sitemap names; `limit` bounds it in bytes when it is gzipped.

    Raises DocumentError when it is none, is too large, is not well-formed or declares entities.
    """
    reader = _Reader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(gunzip(content, limit=limit) if is_gzip(content) else content)
        parser.close()
    except TooLargeError as error:
        raise DocumentError(url, f"this sitemap is larger than {limit // 1024**2} MB; name smaller ones.") from error
    except CorruptError as error:
        raise DocumentError(url, "this sitemap is damaged or incomplete; try again later.") from error
    except DefusedXmlException as error:
        raise DocumentError(
            url, "this sitemap declares a document type or entities, which are not read; remove them or name its pages."
        ) from error
    except (ParseError, ValueError) as error:
        raise DocumentError(
            url, "this sitemap is not well-formed XML; tell the site's owner, or name its pages."
        ) from error
    if reader.root == _PAGES:
        return Sitemap(pages=tuple(reader.locations))
    if reader.root == _SITEMAPS:
        return Sitemap(sitemaps=tuple(reader.locations))
    raise DocumentError(url, "it is XML, but no sitemap; name a web page or a sitemap.")


class _Reader:
    """Hears the parser and keeps only the root's name and the addresses, so that a large sitemap stays small."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.locations: list[str] = []
        self._depth = 0
        self._text: list[str] | None = None

    def start(self, tag: str, _: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._depth += 1
        if self._depth == 1:
            self.root = name
        if self._depth == _LOC_DEPTH and name == "loc":
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, _: str) -> None:
        if self._depth == _LOC_DEPTH and self._text is not None:
            location = "".join(self._text).strip()
            self._text = None
            if location:
                self.locations.append(location)
        self._depth -= 1

    def close(self) -> None:
        """Nothing is left to do at the end of the document."""
