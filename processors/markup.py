"""What is written for the eye, as a text that can be said: no markdown, HTML, web address, emoji or machine's id."""

import copy
import html
import re
from typing import Any

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

CODE_LEFT_OUT = "There is some code here that I can't read out."
NOTHING_TO_SAY = "There is nothing in this answer that I can read out."
LONG_CODE = "a long code"

# So much is held back of what may be the beginning of a link, a tag or a text that is struck through.
LONGEST_HELD = 400
LONGEST_WORD = 4000
# A line of a text that is broken into lines is longer; one that is shorter ends where a sentence does.
SHORT_LINE = 60

_FENCE = re.compile(r"\s*(```|~~~)")
_RULE = re.compile(r"\s*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}|={3,})\s*\Z")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?\Z|\s*\|\s*:?-+:?\s*\Z")
_LINE_START = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+|[-*+•▪–][ \t]+(?:\[[ xX]\][ \t]+)?|(?:>[ \t]?)+|(?P<count>\d{1,2})[.)][ \t]+)"
)
# What may become one of these, or a table's line, or a rule.
_LINE_BEGUN = re.compile(
    r"[ \t]*(?:(?:\||`{3}|~{3}).*|#{0,6}[ \t]*"
    r"|[-*+•▪–_=>~`][-*_=>~`:| \t]*(?:\[[ xX]?\]?[ \t]*)?|\d{1,2}[.)]?[ \t]*)?\Z"
)

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?(?:\s+\"[^\"]*\")?\)")
_FOOTNOTE = re.compile(r"[ \t]?\[(?:\^[^\]]+|\d{1,3}(?:\s*,\s*\d{1,3})*)\]:?")
_BRACKETS = re.compile(r"\[([^\[\]]+)\](?:\[[^\[\]]*\])?")
_AUTO_LINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]+)>")
_LINE_BREAK = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_STRUCK = re.compile(r"[ \t]?~~(?=\S).+?~~")
_URL = re.compile(r"(?:https?://|mailto:|\bwww\.)[^\s<>\"|]+", re.IGNORECASE)
_ID_PATTERN = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,})"
_ID = re.compile(rf"(?P<space>[ \t]*)(?<![\w-]){_ID_PATTERN}(?![\w-])", re.IGNORECASE)
# With what it is called: "(report 3f2b8c1e-…)".
_ID_ASIDE = re.compile(rf"[ \t]?\((?:[^\W\d_]+[:#]?[ \t]){{0,2}}{_ID_PATTERN}\)", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]{0,60}\)")
_SAYS_WHAT_IT_IS = re.compile(r"(?:\b(?:is|are|was|be)|[:=]|\A)\s*\Z")
_EMOJI = re.compile(
    "[ \t]*[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]+"
    r"|[ \t]*(?<!\w):[a-z][a-z_]+:(?!\w)"
)
_STARS = re.compile(r"(?<![\\*])\*+")
_UNDERSCORES = re.compile(r"(?<![\w\\])_+(?=\S)|(?<=\S)_+(?!\w)")
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"[ \t]{2,}")
_PIPE = re.compile(r"\s*\|\s*")
# A word, such as an address, has none of the letters of a script that is written without spaces.
_TAIL = re.compile(r"[^\s\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]+\Z")
_OPEN = re.compile(
    r"!?\[[^\[\]]*(?:\](?:\([^()]*(?:\([^()]*(?:\)[^()]*)?)?)?)?\Z|<(?:[A-Za-z/!][^<>]*)?\Z|~~(?:(?!~~).)*~?\Z|\([^()]{0,60}\Z"
)
_WHOLE = re.compile("|".join(each.pattern for each in (_IMAGE_OR_LINK, _BRACKETS, _TAG, _STRUCK, _ASIDE)))
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]*)?\Z")
_HEX_WORD = re.compile(r"[a-f]+\Z", re.IGNORECASE)
_ADDRESSES = ("http://", "https://", "www.", "mailto:")
_STOPPED = frozenset(".!?:;,…")


def plain(text: str) -> str:
    """A whole text as it can be said."""
    reader = MarkupReader()
    return reader.feed(text) + reader.end()


class MarkupReader:
    """Takes the markup out of one answer as its text streams in.

    What may yet turn out to be markup is held back: mostly the last word, unless it is plain letters. A list's items,
    headings and the rows of a table become sentences: "| Large | $21 |" below "| Locker | Price |" is "Large: price
    $21." Of a web address its host is left, of a link its text.
    """

    def __init__(self) -> None:
        self._held = ""
        self._begun = False  # of the line, something was said
        self._sentence = False  # the line is a sentence of its own, whatever it ends with
        self._joined = False  # what was looked at ended within a word
        self._length = 0
        self._code = False
        self._header: list[str] | None = None
        self._row: list[str] | None = None
        self._tail = ""
        self._space = ""
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """What can be said now."""
        self._held += text.replace("\r", "")
        while (end := self._held.find("\n")) >= 0:
            line, self._held = self._held[:end], self._held[end + 1 :]
            self._finish_line(line)
        self._begin_line()
        return self._take()

    def end(self) -> str:
        """What is left at the end of the answer."""
        line, self._held = self._held, ""
        self._finish_line(line, last=True)
        self._end_table()
        return self._take()

    def _take(self) -> str:
        said, self._out = "".join(self._out), []
        return said

    def _finish_line(self, line: str, *, last: bool = False) -> None:
        if not self._begun:
            if _FENCE.match(line):
                self._code = not self._code
                if self._code:
                    self._say_apart(CODE_LEFT_OUT)
                return
            if self._code:
                return
            if line.lstrip().startswith("|"):
                self._table_line(line)
                return
            self._end_table()
            if not line.strip() or _TABLE_RULE.match(line) or _RULE.match(line):
                if not last:
                    self._stop()
                return
            line = self._open_line(line)
        self._say(line)
        if self._sentence or "|" in line or (self._length < SHORT_LINE and not last):
            self._stop()
        self._begun = self._sentence = self._joined = False
        self._length = 0
        self._space = self._space or (" " if self._tail else "")

    def _begin_line(self) -> None:
        """Says of an unfinished line what is certain."""
        if self._code:
            return
        if not self._begun:
            if _LINE_BEGUN.match(self._held):
                return
            self._end_table()
            self._held = self._open_line(self._held)
        certain = len(self._held) - len(_uncertain(self._held))
        self._say(self._held[:certain])
        self._held = self._held[certain:]

    def _open_line(self, line: str) -> str:
        self._begun = True
        start = _LINE_START.match(line)
        if start is None:
            return line.lstrip(" \t") if not self._tail else line
        self._stop()
        self._sentence = True
        return (f"{start['count']}: " if start["count"] else "") + line[start.end() :]

    def _table_line(self, line: str) -> None:
        if _TABLE_RULE.match(line):
            self._header, self._row = self._row, None
            return
        self._end_row()
        cells = [_clean(cell, before=" ").strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        self._row = cells

    def _end_row(self) -> None:
        row, self._row = self._row, None
        if row is not None:
            self._say_apart(_sentence_of(row, self._header))

    def _end_table(self) -> None:
        self._end_row()
        self._header = None

    def _say_apart(self, text: str) -> None:
        self._stop()
        self._emit(text)
        self._stop()

    def _say(self, text: str) -> None:
        if text:
            self._length += len(text)
            # A word that goes on is looked at behind its last letter.
            joined = self._tail[-1:] if self._begun and self._joined else ""
            self._joined = not text[-1].isspace()
            self._emit(_clean(joined + text, before=self._tail + self._space)[len(joined) :])

    def _stop(self) -> None:
        """Ends what was said so far as a sentence."""
        if (
            self._tail
            and self._tail[-1] not in _STOPPED
            and not (self._tail[-1] in "\"')”’" and self._tail[-2:-1] in _STOPPED)
        ):
            self._space = ""
            self._emit(".")
        self._space = " " if self._tail else ""

    def _emit(self, text: str) -> None:
        """Text, with the white space behind it kept back until more comes."""
        body = text.rstrip()
        if not body:
            self._space = self._space or (text[:1] if self._tail else "")
            return
        if self._space:
            body = (self._space if body[0] not in ",.;:!?" else "") + body.lstrip()
        elif not self._tail:
            body = body.lstrip()
        self._out.append(body)
        self._tail = (self._tail + body)[-24:]
        self._space = text[len(text.rstrip()) :][:1]


def _uncertain(text: str) -> str:
    """The end of a line that may be the beginning of markup."""
    held = opened[0] if (opened := _OPEN.search(text)) and len(opened[0]) <= LONGEST_HELD else ""
    last = _TAIL.search(text[: len(text) - len(held)])
    if last is None or (not held and _is_plain(last[0])) or len(last[0]) > LONGEST_WORD:
        return held
    begin = last.start()
    for whole in _WHOLE.finditer(text):
        if whole.start() < begin < whole.end():
            # What is closed by now, of several words, goes with what stands before it.
            begin = len(text[: whole.start()].rstrip()) if text[: whole.start()][-1:].isspace() else whole.start()
            if before := _TAIL.search(text[:begin]):
                begin = before.start()
    return text[begin:]


def _is_plain(word: str) -> bool:
    lowered = word.lower()
    return (
        bool(_PLAIN_WORD.match(word))
        and not _HEX_WORD.match(word)
        and not any(each.startswith(lowered) for each in _ADDRESSES)
    )


def _clean(text: str, *, before: str) -> str:
    """A piece of a line without markup; `before` is what was said in front of it."""
    text = _IMAGE_OR_LINK.sub(r"\1", _BLANKS.sub(" ", text))
    text = _FOOTNOTE.sub("", text)
    text = _BRACKETS.sub(r"\1", text)
    text = _AUTO_LINK.sub(r"\1", text)
    text = _LINE_BREAK.sub(", ", text)
    text = _TAG.sub("", text)
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\xa0", " "), text)
    text = _STRUCK.sub("", text)
    text = _URL.sub(_host, text)
    text = _ID_ASIDE.sub("", text)
    text = _ID.sub(lambda found: _named(found, before=before), text)
    text = _EMOJI.sub("", text)
    text = _UNDERSCORES.sub("", _STARS.sub(_star, text)).replace("`", "")
    text = _PIPE.sub(", ", _ESCAPE.sub("", text))
    return re.sub(r"[ \t]?\(\s*\)", "", _BLANKS.sub(" ", text))


def _named(found: re.Match[str], *, before: str) -> str:
    said = before + found.string[: found.start()]
    return found["space"] + LONG_CODE if _SAYS_WHAT_IT_IS.search(said) else ""


def _star(found: re.Match[str]) -> str:
    """An asterisk stays where it is one: alone, or between numbers."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    alone = len(found[0]) == 1 and not before.strip() and not after.strip()
    return found[0] if alone or (before.isdigit() and after.isdigit()) else ""


def _host(url: re.Match[str]) -> str:
    """The host of an address, which can be said, and the punctuation behind it."""
    bare = url[0].rstrip(".,;:!?)'\"*_")
    address = re.sub(r"\A(?:https?://|mailto:)?(?:www\.)?", "", bare, flags=re.IGNORECASE)
    host = re.split(r"[/?#:]", address.rpartition("@")[2] if not bare.lower().startswith("mailto:") else address)[0]
    return host + url[0][len(bare) :]


def _sentence_of(row: list[str], header: list[str] | None) -> str:
    """A table's row as a sentence, each cell behind the name of its column."""
    first, *rest = row
    names = [_in_mid_sentence(name) for name in (header or [])[1:]]
    cells = [
        f"{names[number]} {cell}" if number < len(names) and names[number] else cell
        for number, cell in enumerate(rest)
        if cell
    ]
    return ": ".join(part for part in (first, ", ".join(cells)) if part)


def _in_mid_sentence(name: str) -> str:
    return name[0].lower() + name[1:] if name[:1].isupper() and name[1:2].islower() else name


class PlainText(FrameProcessor):
    """Stands before the voice, whoever speaks: all that it is given to say can be said."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._reader = MarkupReader()
        self._given = self._said = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Replaces an answer's text frames, and what is spoken by itself; passes on all else."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM:
            if isinstance(frame, LLMTextFrame):
                self._given = self._given or not frame.text.isspace()
                await self._push(self._reader.feed(frame.text), like=frame)
                return
            if isinstance(frame, LLMFullResponseStartFrame | InterruptionFrame):
                self._reader, self._given, self._said = MarkupReader(), False, False
            elif isinstance(frame, LLMFullResponseEndFrame):
                await self._push(self._reader.end(), like=frame)
                if self._given and not self._said:
                    await self._push(NOTHING_TO_SAY, like=frame)
                self._reader, self._given, self._said = MarkupReader(), False, False
            elif isinstance(frame, TTSSpeakFrame) and (said := plain(frame.text)) != frame.text:
                frame = copy.copy(frame)
                frame.text = said
        await self.push_frame(frame, direction)

    async def _push(self, text: str, *, like: LLMTextFrame | LLMFullResponseEndFrame) -> None:
        if text:
            self._said = self._said or not text.isspace()
            said = LLMTextFrame(text)
            said.skip_tts = like.skip_tts
            await self.push_frame(said)
