"""Prices, measures and other numbers."""

import pytest

from bot.reading.english import read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$1,299.50", "one thousand two hundred ninety-nine dollars and fifty cents"),
        ("$18 a month", "eighteen dollars a month"),
        ("$1, $0.50, $0.01, $2.05", "one dollar, fifty cents, one cent, two dollars and five cents"),
        ("$18/mo or $5/person", "eighteen dollars per month or five dollars per person"),
        ("$18–24, $18-$24", "eighteen to twenty-four dollars, eighteen to twenty-four dollars"),
        ("-$5", "minus five dollars"),
        ("$5m, $1.5 million, $12k", "five million dollars, one point five million dollars, twelve thousand dollars"),
        ("18 €, €18.50, 18 USD", "eighteen euros, eighteen euros and fifty cents, eighteen dollars"),
        ("EUR 18", "eighteen euros"),
        ("£1.01", "one pound and one penny"),
        ("US$48213", "forty-eight thousand two hundred thirteen dollars"),
        ("5 km, 1 km, a 10-km ride", "five kilometers, one kilometer, a ten-kilometer ride"),
        ("5-10 km at 20 km/h", "five to ten kilometers at twenty kilometers per hour"),
        ("20 °C, 20°, 500W, 24h", "twenty degrees Celsius, twenty degrees, five hundred watts, twenty-four hours"),
        ("A 5 min. walk of 2.5 kg.", "A five minutes walk of two point five kilograms."),
        ("10%, 10–15 %, 3.5%", "ten percent, ten to fifteen percent, three point five percent"),
        ("1/2 of it, 3/4, 2 1/2", "one half of it, three quarters, two and a half"),
        ("½, 1¾", "one half, one and three quarters"),
        ("5/16, 7/5", "five slash sixteen, seven slash five"),
        ("3 x 4, 3x4, 60 x 40 cm", "three by four, three by four, sixty by forty centimeters"),
        ("a 2x gain", "a two times gain"),
        ("1st, 2nd, 3rd, 21st", "first, second, third, twenty-first"),
        ("12,500 people, 10000 people", "twelve thousand five hundred people, ten thousand people"),
        ("3.50 and -5 and 5-10", "three point five zero and minus five and five to ten"),
        ("5 in the morning, 6 am", "five in the morning, six AM"),
    ],
)  # fmt: skip
def test_amounts_are_read_as_they_are_said(written: str, said: str):
    assert read(written) == said
