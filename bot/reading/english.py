"""English as it is read aloud: numbers, prices, dates, times, units, codes and abbreviations as words.

Words that are none of these stay as they are, letter by letter. Where a text is ambiguous:

- "St." is Saint in front of a capital unless the word before has one, too ("Main St."); "Dr." likewise, with Drive.
- 3/14/2026 is in March, and 14/3/2026 too. "1/2" is a half; a denominator above twelve is none.
- "Sat", "Sun" and "Wed" are days only beside another day or hours. "am" is a time behind a number alone.
- 1100 to 2099 without a comma is a year; five digits and more are a name, read one by one, unless they end in 000.
- "m", "g", "h" and other units are such only behind a number, and "in" is none.
"""

import re

from bot.reading import english_amounts, english_times
from bot.reading.english_amounts import number
from bot.reading.english_words import ABBREVIATIONS, BEFORE_NUMBERS, DOMAINS, SIGNS, TITLES
from bot.reading.numerals import cardinal, one_by_one, quantity, short_or_digits
from bot.reading.patterns import DASH, NUMBER, Rules, any_of, full_stop, reader


def _email(match: re.Match[str]) -> str:
    return f"{_spelled(match[1])} at {_spelled(match[2])}"


def _address(match: re.Match[str]) -> str:
    host = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0].rstrip(".,;:!?)"), flags=re.IGNORECASE)
    end = match[0][len(match[0].rstrip(".,;:!?)")) :]
    return _spelled(re.split(r"[/?#:]", host)[0]) + end


def _spelled(name: str) -> str:
    """Part of an address."""
    for sign, word in ((".", " dot "), ("-", " dash "), ("_", " underscore "), ("+", " plus ")):
        name = name.replace(sign, word)
    return re.sub(r"[0-9]+", lambda digits: f" {short_or_digits(digits[0])} ", name).strip()


def _phone(match: re.Match[str]) -> str:
    said = ", ".join(one_by_one(group) for group in re.findall(r"[0-9]+", match[1]))
    extension = f", extension {one_by_one(match[2])}" if match[2] else ""
    return ("plus " if match[0].startswith("+") else "") + said + extension


def _version(match: re.Match[str]) -> str:
    said = " point ".join(cardinal(part) for part in match[1].split("."))
    return said if match.string[: match.start()].lower().endswith("version ") else f"version {said}"


def _code(match: re.Match[str]) -> str:
    parts = match[0].split("-")
    words = any(len(part) > 2 and part.islower() for part in parts)

    def said(part: str) -> str:
        # Every voice reads "A4" and "MP3"; of "A four" some make the article.
        if part.isalpha() or re.fullmatch(r"[A-Za-z]+[1-9][0-9]?", part):
            return part
        if part.isdecimal() and words:
            return number(part)
        runs = re.findall(r"[0-9]+|[A-Za-z]+", part)
        spelled = " ".join(run if run.isalpha() else short_or_digits(run) for run in runs)
        return re.sub(r"\bA ", "A-", spelled)

    return ("-" if words else " ").join(said(part) for part in parts)


def _groups(match: re.Match[str]) -> str:
    return ", ".join(one_by_one(group) for group in match[0].split("-"))


def _signed(match: re.Match[str]) -> str:
    return ("minus " if match[1] else "") + number(match[2])


def _numbered(match: re.Match[str]) -> str:
    return f"number {short_or_digits(match[1]) if len(match[1]) != 3 else quantity(match[1])}"


def _abbreviation(match: re.Match[str]) -> str:
    short = match[0]
    capital_follows = bool(re.match(r"\s+[A-Z]", match.string[match.end() :]))
    stop = "." if short.endswith(".") and capital_follows and short not in TITLES else full_stop(match)
    return ABBREVIATIONS[short] + stop


def _saint(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()].split(), match.string[match.end() :].split()
    named = bool(before) and before[-1][:1].isupper() and before[-1][-1:].isalnum() and len(before) > 1
    first, last = ("Saint", "Street") if match[1] == "St" else ("Doctor", "Drive")
    if not named and after and after[0][:1].isupper():
        return first
    return last + full_stop(match) if named else match[0]


def _slash(match: re.Match[str]) -> str:
    before = re.split(r"\W", match.string[: match.start()])[-1]
    return " or " if before.islower() and before != "and" else " "


def _sign(match: re.Match[str]) -> str:
    return f" {SIGNS[match[0]]} "


# What a range may begin with: a number, an ordinal, a time.
_ENDS = r"(?<=[0-9])|(?<=[0-9](?:st|nd|rd|th|[ap]m|[AP]M))|(?<=[0-9] (?:[ap]m|[AP]M))|(?<=[ap]\.m\.)"
_PHONE = (
    r"(?:\+?[0-9]{1,3}[\s.-]?)?\([0-9]{3}\)\s?[0-9]{3}[\s.-][0-9]{4}"
    r"|(?:\+?1[\s.-])?[0-9]{3}[-.\s][0-9]{3}[-.\s][0-9]{4}|\+[0-9]{1,3}(?:[\s.-]?\(?[0-9]{1,5}\)?){2,6}|[0-9]{3}-[0-9]{4}"
)

_NAMES: Rules = {
    "email": (r"(?<![\w.+-])([\w.+-]+)@((?:[\w-]+\.)+[A-Za-z]{2,})\b", _email),
    "address": (
        rf"(?:https?://|\bwww\.)[^\s<>\"]+|(?<![\w@.-])(?:[A-Za-z0-9-]+\.)+(?:{any_of(DOMAINS)})\b(?![.-]?\w)(?:/[^\s<>\"]*)?",
        _address,
    ),
    "phone": (rf"(?<![\w-])({_PHONE})(?:,?\s?(?:x|ext\.?|extension)\s?([0-9]{{1,6}}))?(?![\w-])", _phone),
    "version": (r"\b(?:v|V(?=[0-9]+\.))([0-9]+(?:\.[0-9]+)*)\b", _version),
}
_REST: Rules = {
    "numbered": (r"#\s?([0-9]+)(?![\w-])", _numbered),
    "before_number": (
        rf"(?<![\w.])({any_of(BEFORE_NUMBERS)})\s?(?=[0-9])",
        lambda match: f"{BEFORE_NUMBERS[match[1]]} ",
    ),
    "code": (
        r"(?<![\w])(?=[A-Za-z-]*[0-9])(?=[0-9-]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?!\w)",
        _code,
    ),
    "groups": (r"(?<![\w-])[0-9]+(?:-[0-9]+){2,}(?![\w-])", _groups),
    "number": (rf"(?:(?<![\w.,)])([-\u2212]))?({NUMBER})", _signed),
    "until": (rf"(?:{_ENDS}){DASH}(?=[$£€]?[0-9])", lambda _match: " to "),
    "abbreviation": (rf"(?<![\w.])(?:{any_of(ABBREVIATIONS)})(?!\w)", _abbreviation),
    "saint": (r"\b(St|Dr)\.", _saint),
    "slash": (r"(?<=[A-Za-z])/(?=[A-Za-z])", _slash),
    "sign": (
        rf"[{re.escape(''.join(set(SIGNS) - set('*#~<>')))}]|(?<!\S)[*#](?=[\s.,]|$)|(?<!\S)[<>](?=\s)|~(?=[0-9])",
        _sign,
    ),
    "silent": (r"[\[\]{}|^\\`~*#_<>™®©•]", lambda match: " " if match[0] in "_|\\" else ""),
}
read = reader({**_NAMES, **english_times.RULES, **english_amounts.RULES, **_REST})
"""The text as it is said; what is said as it is written is left alone."""
