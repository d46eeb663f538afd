"""A real call as it is seen from outside: metrics, spans and log lines, each without a word of it."""

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from evals.collector import Collector
from evals.program import Jarvis

pytestmark = pytest.mark.e2e

MEMBERSHIP = "q18"
# Of the question as it is asked and heard, of the answer, and of the document that it is from.
WORDS = ("membership", "dollars", "forty-nine", "Larkspur")


def scrape(jarvis: Jarvis) -> str:
    """What Prometheus reads."""
    headers = {"Authorization": f"Bearer {jarvis.operator_key()}"}
    with urllib.request.urlopen(urllib.request.Request(f"{jarvis.url}/metrics", headers=headers), timeout=20) as answer:
        return answer.read().decode()


def samples(text: str) -> dict[tuple[str, ...], float]:
    """The values by name and labels' values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def words_in(text: str) -> list[str]:
    return [word for word in WORDS if word.lower() in text.lower()]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def watched(collector: Collector, data_dir: Path, artifacts: Path) -> Iterator[Jarvis]:
    """A server whose calls are traced, and which logs all it can, for programs."""
    settings = {"JARVIS_LOG_FORMAT": "json", "JARVIS_LOG_LEVEL": "DEBUG"}
    jarvis = Jarvis(data_dir, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **settings)
    jarvis.start()
    yield jarvis
    jarvis.stop()
    shutil.copy(jarvis.log, artifacts / "server.log")


def test_a_call_is_traced_and_logged_for_programs_without_a_word_of_it(
    watched: Jarvis, collector: Collector, artifacts: Path
):
    report = watched.call(MEMBERSHIP, out=artifacts / "call.wav")
    assert "49 dollars" in report["turns"][0]["said"]
    assert watched.stop()[0] == 0

    spans = collector.spans()
    assert {"conversation", "turn", "stt", "llm", "tts"} <= {span.name for span in spans}
    (conversation,) = (span for span in spans if span.name == "conversation")
    assert {span.trace_id for span in spans} == {conversation.trace_id}
    sent = b"".join(collector.bodies).decode(errors="replace")
    (artifacts / "spans.txt").write_text("\n".join(str(span) for span in spans))
    assert words_in(sent) == []

    (session,) = (each.value.string_value for each in conversation.attributes if each.key == "conversation.id")
    log = watched.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"time", "level", "process", "pid", "module", "message"} <= set.intersection(*map(set, lines))
    assert any(line.get("session") == session and re.search("ended: hang_up", line["message"]) for line in lines)
    assert {"server", "speech"} <= {line["process"] for line in lines}
    assert words_in(log) == []
