"""What the README says of providers."""

from bot.providers.stages import STAGES, members, name_of, needs_of
from tests.modules import ROOT


def test_every_provider_has_its_row():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [
        f"| {stage} | `{name_of(each)}`: {each.title} | {', '.join(f'`{name}`' for name in needs_of(each))} | "
        f"{'' if each.extra is None else f'`{each.extra}`'} |"
        for stage in STAGES
        for each in members(stage)
    ]
    assert [row for row in rows if row not in lines] == [], "these rows are missing"


def test_no_row_is_of_a_provider_that_is_gone():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    named = [tuple(line.split("`")[:2]) for line in lines if line.startswith(tuple(f"| {s} | `" for s in STAGES))]
    there = {(f"| {stage} | ", name_of(each)) for stage in STAGES for each in members(stage)}
    assert [each for each in named if each not in there] == []
