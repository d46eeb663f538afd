"""What callers say of themselves in numbers and addresses, replaced by what is nobody's."""

import re

CARD, PHONE, MAIL = "4111 1111 1111 1111", "555 0100", "someone@example.com"
# Fewer digits are dates, prices and order numbers; a card has at least so many.
PHONE_DIGITS, CARD_DIGITS = 7, 13

_WORD = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
_REPEATED = {"double": 2, "triple": 3}
_UNIT = rf"(?:\d+|\b(?:{_WORD}|{'|'.join(_REPEATED)})\b)"
_NUMBER = re.compile(rf"(?<![\w])\+?\(?{_UNIT}(?:[\s,.()/-]{{0,3}}{_UNIT})*", re.IGNORECASE)
# A date, and an amount with thousands.
_HARMLESS = re.compile(r"(?:\d{4}-\d{2}-\d{2}|\d{1,3}(?:,\d{3})+)$")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_MAIL = re.compile(
    r"\b\w+(?: (?:dot|underscore|dash|hyphen|plus) \w+)* at \w+(?: (?:dash|hyphen) \w+)*(?: dot \w+)+\b", re.IGNORECASE
)


def redacted(text: str) -> tuple[str, int]:
    """The text with an example in the place of each card number, phone number and e-mail address; and how many.

    Digits may be written, spoken or both. Names and street addresses stay.
    """
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        digits = _digits(match[0])
        if digits < PHONE_DIGITS or _HARMLESS.match(match[0]):
            return match[0]
        count += 1
        return CARD if digits >= CARD_DIGITS else PHONE

    # What was spelled is an address now, and counted as one.
    without, addresses = _MAIL.subn(MAIL, _SPOKEN_MAIL.sub(MAIL, text))
    without = _NUMBER.sub(number, without)
    return without, addresses + count


def _digits(number: str) -> int:
    """How many digits are written or spoken there."""
    count, times = 0, 1
    for unit in re.findall(_UNIT, number, re.IGNORECASE):
        if (repeats := _REPEATED.get(unit.lower())) is not None:
            times = repeats
            continue
        count += times * (len(unit) if unit.isdigit() else 1)
        times = 1
    return count
