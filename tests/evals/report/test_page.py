"""The page: what it shows, and that nothing in results can act in it."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from selectolax.lexbor import LexborHTMLParser

from evals.report import page
from evals.report.errors import ReportError
from evals.report.page import write_page
from evals.report.results import read_results
from tests.evals.report.sample import FAILURE, HEADER, record, run, timeline, turn, write

FOREIGN = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7 * 7 }}</style></title>"""


def html(tmp_path: Path, *runs: dict[str, Any], **fields: Any) -> LexborHTMLParser:
    """The page of these runs."""
    out = tmp_path / "report.html"
    write_page(read_results(write(tmp_path / "results.jsonl", *runs, **fields)), out)
    return LexborHTMLParser(out.read_text(encoding="utf-8"))


def text(tree: LexborHTMLParser, selector: str) -> str:
    return " ".join(" ".join(node.text(separator=" ") for node in tree.css(selector)).split())


def test_the_head_says_what_was_run_where_and_by_whom_vendors_were_played(tmp_path: Path):
    head = text(html(tmp_path, run()), "header")
    assert "providers: doubles Vendors were simulated" in head
    assert "2026-11-28T07:00:00Z" in head
    assert "0.1.0, commit 0e0eaf5" in head
    assert "AMD EPYC 7R13, 2 cores, 3.8 GB, Python 3.11.9" in head


def test_without_a_header_it_says_that_it_knows_no_more(tmp_path: Path):
    head = text(html(tmp_path, run(), header=None), "header")
    assert "not known: the results have no header" in head
    assert "providers: doubles" in head


def test_each_tier_has_its_own_figures(tmp_path: Path):
    runs = [
        run(run=n, tier=tier, status=status)
        for tier, status in (("text", "passed"), ("audio", "failed"))
        for n in (1, 2)
    ]
    tree = html(tmp_path, *runs)
    first, second = (" ".join(leg.text(separator=" ").split()) for leg in tree.css(".leg"))
    assert first.startswith("text providers: doubles ✓ 2 passed runs of 1 scenario pass@1 100 % (21 % to 100 %, n = 1)")
    assert "pass@2 0 %" in second
    assert "pass^2 0 %" in second
    assert "voice to voice 812 ms – 812 ms 2" in second


def test_a_scenario_has_a_row_a_tier_with_a_link_to_each_run(tmp_path: Path):
    tree = html(tmp_path, run(run=1), run(run=2, status="failed"))
    row = text(tree, ".scenarios tbody tr")
    assert "± mixed" in row
    assert "1 of 2" in row
    links = [link.attributes["href"] for link in tree.css(".dot")]
    assert links == ["#run-1", "#run-2"]
    assert all(tree.css_first(str(link)) for link in links)


def test_the_first_run_that_failed_stands_open_with_what_did_not_hold(tmp_path: Path):
    tree = html(tmp_path, run(run=1), run(run=2, status="failed", failures=[FAILURE]), run(run=3, status="failed"))
    (opened,) = tree.css("details.run[open]")
    assert opened.id == "run-2"
    assert "2 x_supported “fourteen days” stands in no passage" in text(tree, ".failures tbody")
    assert "evals/suite/returns.yaml:23" in text(tree, ".failures tbody")


def test_a_pending_scenario_says_why(tmp_path: Path):
    tree = html(tmp_path, run(status="pending", turns=[]) | {"skipped": "no SIP yet"})
    assert "Not run: no SIP yet" in text(tree, ".run")


def test_what_was_said_stands_beside_what_was_heard(tmp_path: Path):
    said = text(html(tmp_path, run(turns=[turn(heard="how long may i return a lamb")])), ".said tbody")
    assert "How long may I return a lamp? heard: how long may i return a lamb" in said
    assert "sources: Returns policy" in said
    assert "retrieved: Returns policy; Warranty" in said
    assert "voice to voice 812 ms" in said


def test_foreign_text_is_text_wherever_it_stands(tmp_path: Path):
    failure = {"turn": 0, "check": FOREIGN, "reason": FOREIGN, "file": FOREIGN, "line": 1}
    spoken = turn(user=FOREIGN, heard=FOREIGN + "!", said=FOREIGN, sources=[FOREIGN], passages=[FOREIGN])
    spans = [{"lane": "bot", "from_ms": 0, "to_ms": 9000, "label": FOREIGN}]
    line = run(
        FOREIGN, file=FOREIGN, status="failed", session=FOREIGN, failures=[failure], turns=[spoken], timeline=spans,
        audio=FOREIGN,
    )  # fmt: skip
    foreign = {"machine": {"cpu": FOREIGN}, "created": FOREIGN, "jarvis": FOREIGN, "git": FOREIGN}
    tree = html(tmp_path, line | {"debug_log": [FOREIGN], "skipped": FOREIGN}, header=foreign, rest=b"cut")
    assert len(tree.css("script")) == 1
    assert len(tree.css("style")) == 1
    assert tree.css("img") == []
    assert [node for node in tree.css("*") for name in node.attributes if name.startswith("on")] == []
    assert "49" not in text(tree, "h3")
    assert text(tree, ".said tbody").count("<script>alert(1)</script>") == 5


def test_only_its_own_style_and_script_may_act(tmp_path: Path):
    tree = html(tmp_path, run())
    policy = tree.css_first('meta[http-equiv="Content-Security-Policy"]').attributes["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("sha256-") == 2
    assert tree.css("[style]") == []
    markup = (page.TEMPLATES / "report.html.jinja").read_text(encoding="utf-8")
    assert re.findall(r"{{ (\w+)\|safe }}", markup) == ["style", "script"]
    assert markup.count("|safe") == 2


def test_the_hashes_are_those_of_what_stands_in_the_page(tmp_path: Path):
    html(tmp_path, run())
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    for element in ("style", "script"):
        content = source.split(f"<{element}>")[1].split(f"</{element}>")[0]
        assert page._hash(content).replace("'", "&#39;") in source or page._hash(content) in source


def test_a_recording_is_in_the_page_and_drawn(tmp_path: Path):
    record(tmp_path / "audio" / "one.wav")
    tree = html(tmp_path, run(timeline=timeline(), audio="audio/one.wav"))
    source = tree.css_first("audio").attributes["src"] or ""
    kind, _, packed = source.partition(",")
    assert kind == "data:audio/flac;base64"
    assert sf.info(io.BytesIO(base64.b64decode(packed))).duration == 8.5
    assert len(tree.css("path.wave")) == 2
    assert len(tree.css(".lane")) == 9
    assert tree.css_first(".cursor") is not None


def test_a_large_recording_stays_beside_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page, "EMBEDDED_BYTES", 1000)
    record(tmp_path / "audio" / "one #1.wav")
    tree = html(tmp_path, run(audio="audio/one #1.wav"))
    assert tree.css_first("audio").attributes["src"] == "audio/one%20%231.wav"


def test_where_the_page_can_carry_only_one_recording_it_is_that_of_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    record(tmp_path / "one.wav")
    size = len(page.as_flac(tmp_path / "one.wav"))
    monkeypatch.setattr(page, "EMBEDDED_BYTES_IN_ALL", size + 1)
    tree = html(tmp_path, run(run=1, audio="one.wav"), run(run=2, status="failed", audio="one.wav"))
    passed, failed = (str(audio.attributes["src"])[:5] for audio in tree.css("audio"))
    assert (passed, failed) == ("one.w", "data:")


@pytest.mark.parametrize("audio", ["lost.wav", "../outside.wav", "/etc/hostname"])
def test_a_recording_that_is_missing_or_elsewhere_is_told_and_the_rest_shown(tmp_path: Path, audio: str):
    record(tmp_path / "outside.wav")
    path = write(tmp_path / "in" / "results.jsonl", run(timeline=timeline(), audio=audio))
    (complaint,) = write_page(read_results(path), tmp_path / "in" / "report.html")
    tree = LexborHTMLParser((tmp_path / "in" / "report.html").read_text(encoding="utf-8"))
    assert complaint.startswith("returns/single_fact, run 1: the recording ")
    assert complaint in text(tree, ".complaints")
    assert tree.css("audio") == []
    assert tree.css_first("svg.lanes") is not None


def test_what_was_cut_off_is_told_on_the_page(tmp_path: Path):
    assert "results.jsonl:3 was cut off" in text(html(tmp_path, run(), rest=b"{"), ".complaints")


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, *_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    out = tmp_path / "report.html"
    out.write_text("the old one")
    results = read_results(write(tmp_path / "results.jsonl", run()))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ReportError, match="No space left"):
            write_page(results, out)
    assert out.read_text() == "the old one"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.html", "results.jsonl"]


def test_a_scenario_says_how_often_it_holds_once_and_every_time(tmp_path: Path):
    tree = html(tmp_path, run(run=1), run(run=2, status="failed"))
    row = text(tree, "table.scenarios tbody tr")
    assert "50 %" in row
    assert "100 %" in row
    assert "0 %" in row


def test_who_judged_is_shown_with_how_far_it_agrees_with_labels(tmp_path: Path):
    judge = {"name": "judge and rules", "accuracy": 0.9, "kappa": 0.789, "right_right": 30, "wrong_right": 4}
    tree = html(tmp_path, run(), header=HEADER | {"judge": [judge]})
    assert "judge and rules 90 % 0.79 30 0 4 0 0" in " ".join(text(tree, "header table tbody").split())
