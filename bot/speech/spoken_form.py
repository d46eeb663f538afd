"""Written text as the words a person says: numbers, times, prices and signs spelled out."""

import re
import unicodedata

from num2words import num2words

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[]?[A-Z0-9])|[\n\r]+|[;|]|:\s")
TOKEN = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*[.]?|[%&$£€+@#/°=]")
CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})\b")
MERIDIEM = re.compile(r"(\d)\s*([ap])\.?\s?m\b\.?", re.IGNORECASE)
PRICE = re.compile(r"([$£€])\s?(\d[\d,]*)(?:\.(\d{2}))?\b")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
NUMBER_RANGE = re.compile(r"((?<!\d)\d{1,2}|[ap]\.m\.)\s?[-–—]\s?(?=[$£€]?\d{1,2}(?!\d))")
PHONE_NUMBER = re.compile(r"\b\d{3,4}-\d{4}\b")
ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$", re.IGNORECASE)
LETTERS_AND_DIGITS = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
URL_SCHEME = re.compile(r"\bhttps?://(?:www\.)?", re.IGNORECASE)
INSIDE_ADDRESS = re.compile(r"(?<=\w)\.(?=[A-Za-z]{2,})")

CURRENCIES = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent")}
SIGNS = {"%": "percent", "&": "and", "+": "plus", "@": "at", "#": "number", "°": "degrees", "=": "equals", "/": ""}
ABBREVIATIONS = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "approx.": "approximately",
    "no.": "number",
    "dr.": "doctor",
    "mr.": "mister",
    "mrs.": "missus",
    "st.": "street",
    "vs.": "versus",
    "hrs": "hours",
    "mins": "minutes",
    "kg": "kilograms",
    "km": "kilometers",
    "cm": "centimeters",
    "mm": "millimeters",
}


def spoken_sentences(text: str) -> list[list[str]]:
    """The sentences of a text, each as the words spoken, with the writer's capitals kept."""
    normalised = unicodedata.normalize("NFKC", text).replace("’", "'")
    sentences = (spoken_words(sentence) for sentence in SENTENCE_END.split(normalised))
    return [words for words in sentences if words]


def spoken_words(sentence: str) -> list[str]:
    """One sentence as the words spoken: "3.5 %" is three point five percent; capitals are kept."""
    text = URL_SCHEME.sub("", sentence)
    text = PRICE.sub(_price, text)
    text = CLOCK.sub(_clock, text)
    text = MERIDIEM.sub(r"\1 \2.m.", text)
    text = NUMBER_RANGE.sub(r"\1 to ", THOUSANDS.sub("", text))
    text = PHONE_NUMBER.sub(lambda match: " ".join(match.group().replace("-", "")), text)
    text = INSIDE_ADDRESS.sub(" dot ", text)
    words: list[str] = []
    for match in TOKEN.finditer(text):
        words += _token_words(match.group())
    return words


def _price(match: re.Match[str]) -> str:
    major, minor = CURRENCIES[match[1]]
    whole, part = int(match[2].replace(",", "")), int(match[3] or 0)
    spoken = f" {whole} {major}{'' if whole == 1 else 's'} "
    return f"{spoken} {part} " if part and whole else f" {part} {minor}s " if part else spoken


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    return f"{hour} " if minute == 0 else f"{hour} oh {minute}" if minute < 10 else f"{hour} {minute}"


def _token_words(token: str) -> list[str]:
    if token in SIGNS:
        return SIGNS[token].split()
    lowered = token.lower()
    if lowered in ABBREVIATIONS:
        return ABBREVIATIONS[lowered].split()
    if lowered in {"a.m", "p.m", "a.m.", "p.m."}:
        return [f"{lowered[0]}.m."]
    if ordinal := ORDINAL.match(token):
        return _split(num2words(int(ordinal[1]), to="ordinal"))
    bare = token.rstrip(".")
    if re.fullmatch(r"\d+(\.\d+)?", bare):
        return _number(bare)
    words: list[str] = []
    for part in re.split(r"-|\.(?!\d)|(?<!\d)\.", bare):
        for piece in LETTERS_AND_DIGITS.split(part):
            words += _number(piece) if re.fullmatch(r"\d+(\.\d+)?", piece) else [piece] if piece else []
    return words


def _number(digits: str) -> list[str]:
    if "." in digits:
        return _split(num2words(float(digits)))
    if len(digits) > 4 or (digits.startswith("0") and digits != "0"):
        round_thousands = digits.endswith("000") and not digits.startswith("0")
        return _split(num2words(int(digits))) if round_thousands else [num2words(int(digit)) for digit in digits]
    year = len(digits) == 4 and 1100 <= int(digits) <= 2099 and int(digits) % 1000 != 0
    return _split(num2words(int(digits), to="year" if year else "cardinal"))


def _split(spoken: str) -> list[str]:
    return [word for word in re.split(r"[\s,\-]+", spoken) if word != "and"]
