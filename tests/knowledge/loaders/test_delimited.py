import pytest

from knowledge.loaders import delimited
from knowledge.loaders.delimited import parse_delimited
from knowledge.loaders.refusal import Refusal


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("Plan,Price\nPro,$20\nFree,\n", "Plan: Pro, Price: $20\nPlan: Free"),
        ("Plan;Price\nPro;20,50\nTeam;30,50\n", "Plan: Pro, Price: 20,50\nPlan: Team, Price: 30,50"),
        ("Plan\tPrice\nPro\t$20", "Plan: Pro, Price: $20"),
        ("Question,Answer\nIs it free?,Yes.\n", "Question: Is it free? Answer: Yes."),
        ('Name,Hours\nPool,"7 to 9,\nthen 5 to 8"\n', "Name: Pool, Hours: 7 to 9, then 5 to 8"),
        ("A,B\n1\n1,2,3\n\n", "A: 1\nA: 1, B: 2, 3"),
        ("Is it free?,Yes.\nIs it open?,No.\n", "Is it free? Yes.\nIs it open? No."),
        ("Pool,7\nGym,8\n", "Pool, 7\nGym, 8"),
        ("Name\nPool\nGym\n", "Name: Pool\nName: Gym"),
        ("Plan,Price\n", "Plan, Price"),
        ("Item no.,Vegan?\n7,yes", "Item no.: 7, Vegan?: yes"),
        ('"He said ""hi""",x1\nb,c', 'He said "hi": b, x1: c'),
    ],
)
def test_a_row_is_a_line_with_each_cell_after_its_columns_name(table: str, text: str) -> None:
    assert parse_delimited(table, "T").text == text


def test_a_known_delimiter_is_not_guessed() -> None:
    assert parse_delimited("A, B\tC\nx, y\tz", "T", delimiter="\t").text == "A, B: x, y, C: z"


def test_a_cell_may_hold_a_whole_article() -> None:
    assert len(parse_delimited(f"Title,Text\nA,{'word ' * 100_000}", "T").text) > 490_000


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_ROWS", 3)
    with pytest.raises(Refusal, match="more than 3 rows"):
        parse_delimited("A,B\n" + "x,y\n" * 3, "T")
