"""German, French and Spanish as they are read aloud: numbers, prices, percentages, dates and times of day.

Numbers have a decimal comma, and points or narrow spaces between thousands. What has none of these rules is left alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.reading.numerals import cardinal, one_by_one, ordinal
from bot.reading.patterns import Rules, reader

_MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_NUMBER = r"[0-9]{1,3}(?:[.\u202f\u00a0][0-9]{3})+(?:,[0-9]+)?|[0-9]+(?:,[0-9]+)?"


@dataclass(frozen=True, slots=True)
class Tongue:
    """The words of one language; the currencies with what one and many are called, and how cents follow."""

    code: str
    percent: str
    minus: str
    until: str
    together: str
    currencies: dict[str, tuple[str, str]]
    cents: str
    hour: Callable[[str], str]

    def number(self, written: str) -> str:
        """Long ones, and those that begin with a zero, are names and read digit by digit."""
        plain = re.sub("[.\u202f\u00a0]", "", written).replace(",", ".")
        if len(plain) > 4 and "." not in plain and plain == written and not plain.endswith("000"):
            return one_by_one(plain, self.code)
        named = plain.startswith("0") and plain[1:2].isdigit()
        return (one_by_one if named else cardinal)(plain, self.code)

    def amount(self, written: str, currency: str) -> str:
        """A price."""
        whole, _, part = written.partition(",")
        one, many = self.currencies[currency]
        if len(part) not in (0, 2):
            return f"{self.number(written)} {many}"
        count = re.sub("[.\u202f\u00a0]", "", whole)
        said = one if count == "1" else f"{cardinal(count, self.code)} {many}"
        return said + (f"{self.cents}{cardinal(part.lstrip('0'), self.code)}" if part.strip("0") else "")

    def day(self, of_year: str, month: str, day: str, *, before: str) -> str | None:
        """A date behind this text; None where there is no such day."""
        if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
            return None
        name = _MONTHS[self.code].split()[int(month) - 1]
        number = int(day)
        first = ordinal(number, self.code) if self.code == "de" or (self.code == "fr" and number == 1) else ""
        # "Am ersten März", but "erster März".
        ending = "n" if re.search(r"\b(?:am|ab|bis|dem|den|vom|zum)\s\Z", before, re.IGNORECASE) else "r"
        said = f"{first}{ending}" if self.code == "de" else first or cardinal(str(number), self.code)
        of = " de " if self.code == "es" else " "
        return f"{said}{of}{name}{of}{cardinal(of_year, self.code)}"

    def rules(self) -> Rules:
        """What is read, and how."""

        def dated(match: re.Match[str], *order: int) -> str:
            of_year, month, day = match.group(*order)
            return self.day(of_year, month, day, before=match.string[: match.start()]) or match[0]

        return {
            "iso_date": (r"(?<![\w-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![\w-])", lambda m: dated(m, 1, 2, 3)),
            "date": (r"(?<![\w./])([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4})(?!\w)", lambda m: dated(m, 3, 2, 1)),
            "time": (
                r"(?<![\w:])([01]?[0-9]|2[0-3])(?::|\s?h\s?)([0-5][0-9])(?![\w:])(?:\s(?:Uhr|horas|heures)\b)?",
                lambda m: (
                    self.hour(cardinal(m[1], self.code))
                    + ("" if m[2] == "00" else f" {cardinal(m[2].lstrip('0'), self.code)}")
                ),
            ),
            "money": (rf"(?<![\w.,])({_NUMBER})\s?([€$£])", lambda m: self.amount(m[1], m[2])),
            "money_before": (rf"([€$£])\s?({_NUMBER})", lambda m: self.amount(m[2], m[1])),
            "percent": (rf"(?<![\w.,])({_NUMBER})\s?%", lambda m: f"{self.number(m[1])} {self.percent}"),
            "number": (
                rf"(?<![\w.,])(-?)({_NUMBER})(?![\w.,]*[A-Za-z0-9])",
                lambda m: (f"{self.minus} " if m[1] else "") + self.number(m[2]),
            ),
            "until": (r"(?<=[0-9])\s?[-–—]\s?(?=[0-9])", lambda _m: f" {self.until} "),
            "and": (r"\s&\s", lambda _m: f" {self.together} "),
        }


german = reader(
    Tongue(
        code="de",
        percent="Prozent",
        minus="minus",
        until="bis",
        together="und",
        currencies={"€": ("ein Euro", "Euro"), "$": ("ein Dollar", "Dollar"), "£": ("ein Pfund", "Pfund")},
        cents=" ",
        hour=lambda hour: "ein Uhr" if hour == "eins" else f"{hour} Uhr",
    ).rules()
)
french = reader(
    Tongue(
        code="fr",
        percent="pour cent",
        minus="moins",
        until="à",
        together="et",
        currencies={"€": ("un euro", "euros"), "$": ("un dollar", "dollars"), "£": ("une livre", "livres")},
        cents=" ",
        hour=lambda hour: "une heure" if hour == "un" else f"{hour} heures",
    ).rules()
)
spanish = reader(
    Tongue(
        code="es",
        percent="por ciento",
        minus="menos",
        until="a",
        together="y",
        currencies={"€": ("un euro", "euros"), "$": ("un dólar", "dólares"), "£": ("una libra", "libras")},
        cents=" con ",
        hour=lambda hour: "una" if hour == "uno" else hour,
    ).rules()
)
