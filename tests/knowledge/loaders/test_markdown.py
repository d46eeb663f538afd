from datetime import date

import pytest

from knowledge.loaders.markdown import parse_markdown
from knowledge.types import LoadedDocument


def spans(document: LoadedDocument) -> list[tuple[tuple[str, ...], str]]:
    return [(each.heading_path, document.text[each.start : each.end].strip()) for each in document.sections]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**Bold** and *thin* `code`", "Bold and thin code"),
        ("See [the policy](https://example.com/x).", "See the policy."),
        ("![A map of the hotel](map.png)", "A map of the hotel"),
        ("one\ntwo", "one two"),
        ("one<br>two", "one two"),
        ("- one\n- two\n  - three", "one\ntwo\nthree"),
        ("| Plan | Price |\n|---|---|\n| Pro | $20 |\n| Free | |", "Plan: Pro, Price: $20\nPlan: Free"),
        ("```sh\nmake run\n```", "make run"),
        ("<details><b>Hi</b> there</details>", "Hi there"),
        ("<!-- note -->\n\nText &amp; more", "Text & more"),
        ("> quoted", "quoted"),
    ],
)
def test_words_are_kept_without_their_markup(markdown: str, text: str) -> None:
    assert parse_markdown(markdown, "T").text == text


def test_each_heading_opens_a_section_under_its_parents() -> None:
    document = parse_markdown("Intro\n\n## A\n\none\n\n### B\n\ntwo\n\n## C\n\nthree", "T")
    assert spans(document) == [((), "Intro"), (("A",), "one"), (("A", "B"), "two"), (("C",), "three")]


@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        ("# Refunds\n\nFree.", "Refunds"),
        ("---\ntitle: 'Refund policy'\n---\n# Refunds\n\nFree.", "Refund policy"),
        ("## Refunds\n\nFree.", "From the file name"),
    ],
)
def test_the_title_is_the_best_that_is_given(markdown: str, title: str) -> None:
    assert parse_markdown(markdown, "From the file name").title == title


def test_a_heading_that_is_the_title_is_in_no_heading_path() -> None:
    assert spans(parse_markdown("# Refunds\n\nFree.\n\n## When\n\nSoon.", "T")) == [((), "Free."), (("When",), "Soon.")]


def test_a_heading_with_nothing_below_it_is_its_own_text() -> None:
    assert spans(parse_markdown("## No pets\n\n## Hours\n\nSeven.", "T")) == [
        (("No pets",), "No pets"),
        (("Hours",), "Seven."),
    ]


def test_a_heading_that_only_holds_headings_has_no_section() -> None:
    assert spans(parse_markdown("## Hours\n\n### Pool\n\nSeven.", "T")) == [(("Hours", "Pool"), "Seven.")]


@pytest.mark.parametrize(
    ("front_matter", "day"),
    [
        ("date: 2025-05-03", date(2025, 5, 3)),
        ("date: 2020-01-01\neffective_date: 3 May 2025", date(2025, 5, 3)),
        ("Last-Updated: '2025-05-03T10:00:00Z'", date(2025, 5, 3)),
        ("effective: soon\nupdated: 2025-05-03", date(2025, 5, 3)),
        ("date: soon", None),
        ("title: Refunds of 2025-05-03", None),
    ],
)
def test_the_front_matter_tells_from_when_on_it_holds(front_matter: str, day: date | None) -> None:
    assert parse_markdown(f"---\n{front_matter}\n---\nText", "T").effective_date == day
