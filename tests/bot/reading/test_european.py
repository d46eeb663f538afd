"""German, French and Spanish numbers, prices, dates and times."""

import pytest

from bot.reading.european import french, german, spanish


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("18 €, 1 €, 18,50 €", "achtzehn Euro, ein Euro, achtzehn Euro fünfzig"),
        ("1.299,50 €", "eintausendzweihundertneunundneunzig Euro fünfzig"),
        ("Am 2026-03-01.", "Am ersten März zweitausendsechsundzwanzig."),
        ("1.3.2026", "erster März zweitausendsechsundzwanzig"),
        ("um 9:30 Uhr, um 17:00, um 1:00", "um neun Uhr dreißig, um siebzehn Uhr, um ein Uhr"),
        ("10 %, 3,5 km, -5 Grad", "zehn Prozent, drei Komma fünf km, minus fünf Grad"),
        ("94107, 9-17 & A4", "neun vier eins null sieben, neun bis siebzehn und A4"),
        ("Am 45.45.2026", "Am 45.45.2026"),
        ("Der Hund & die Katze.", "Der Hund und die Katze."),
    ],
)
def test_german_is_read_as_it_is_said(written: str, said: str):
    assert german(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("18,50 €, 10 %", "dix-huit euros cinquante, dix pour cent"),
        ("le 2026-03-01 à 9h30 ou 1h00", "le premier mars deux mille vingt-six à neuf heures trente ou une heure"),
        ("le 02/03/2026", "le deux mars deux mille vingt-six"),
    ],
)
def test_french_is_read_as_it_is_said(written: str, said: str):
    assert french(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("18,50 €, $5, 10 %", "dieciocho euros con cincuenta, cinco dólares, diez por ciento"),
        ("El 2026-03-01 a las 9:30.", "El uno de marzo de dos mil veintiséis a las nueve treinta."),
        ("1.000 personas", "mil personas"),
    ],
)
def test_spanish_is_read_as_it_is_said(written: str, said: str):
    assert spanish(written) == said
