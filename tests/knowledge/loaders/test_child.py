import io
import subprocess
import sys

import pytest

from knowledge.loaders import child
from knowledge.loaders.child import answer, serve
from knowledge.loaders.wire import TAKEN, Request, pack_answer, pack_request

REQUEST = Request("a.txt", b"Hi", None, 60.0)
# A parser that writes to stdout, from Python and from native code, and reads from stdin.
STRAY = """
import os, sys
from knowledge.loaders import child
def answer(request):
    print("stray", sys.stdin.read(), flush=True)
    os.write(1, b"stray")
    return "reason"
child.answer = answer
child.main()
"""


def test_what_a_library_prints_is_in_no_answer() -> None:
    run = subprocess.run(
        [sys.executable, "-c", STRAY], input=pack_request(REQUEST) * 2, capture_output=True, timeout=30
    )
    assert run.stdout == (TAKEN + pack_answer("reason")) * 2


def test_serving_ends_with_the_requests() -> None:
    answers = io.BytesIO()
    serve(io.BytesIO(pack_request(REQUEST) + b"\0"), answers)
    assert answers.getvalue() == TAKEN + pack_answer(answer(REQUEST))


def test_an_error_that_nobody_foresaw_concerns_its_document_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(child, "load", load)
    assert answer(REQUEST) == "it cannot be made sense of; save it anew, or as another kind of document."


def test_a_document_without_enough_memory_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(child, "load", load)
    with pytest.raises(MemoryError):
        serve(io.BytesIO(pack_request(REQUEST)), io.BytesIO())
