"""Dates and times."""

import pytest

from bot.reading.english import read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("At 9:30 am.", "At nine thirty AM."),
        ("Until 9:30 a.m.", "Until nine thirty AM."),
        ("Until 9:30 p.m. on weekdays.", "Until nine thirty PM on weekdays."),
        ("From 9am to 5 PM.", "From nine AM to five PM."),
        ("At 9:05, at 12:00.", "At nine oh five, at twelve o'clock."),
        ("At 17:30, at 0:15.", "At five thirty PM, at twelve fifteen AM."),
        ("9:00–17:00", "nine o'clock to five PM"),
        ("9-5pm", "nine to five PM"),
        ("Mon–Fri 9–17", "Monday to Friday, nine AM to five PM"),
        ("Mon-Fri: 8-12, Sat 10-4", "Monday to Friday, eight to twelve, Saturday, ten to four"),
        ("Sat & Sun closed", "Saturday and Sunday closed"),
        ("On Tue. we rest.", "On Tuesday we rest."),
        ("2026-03-01", "March first, twenty twenty-six"),
        ("2026-03-01T09:30:00Z", "March first, twenty twenty-six at nine thirty"),
        ("2026-13-45", "two zero two six, one three, four five"),
        ("March 3rd", "March third"),
        ("On March 3, 2026, we open.", "On March third, twenty twenty-six, we open."),
        ("On 3 March 2026.", "On March third, twenty twenty-six."),
        ("The 3rd of March.", "The third of March."),
        ("On the 3 March.", "On the third of March."),
        ("Mar. 5 and Dec 24.", "March fifth and December twenty-fourth."),
        ("May 3-5", "May third to fifth"),
        ("We close in March. 5 people stay.", "We close in March. five people stay."),
        ("3/14/2026, 14/3/26", "March fourteenth, twenty twenty-six, March fourteenth, twenty twenty-six"),
        ("1.3.2026", "March first, twenty twenty-six"),
        ("Since 1999, or 2005.", "Since nineteen ninety-nine, or two thousand five."),
        ("The 1990s, the '80s and her 20s.", "The nineteen nineties, the eighties and her twenties."),
        ("We are open 24/7.", "We are open twenty-four seven."),
    ],
)  # fmt: skip
def test_dates_and_times_are_read_as_they_are_said(written: str, said: str):
    assert read(written) == said
