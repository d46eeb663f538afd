from datetime import date

import pytest

from knowledge.loaders.wire import HEADER, Request, pack_answer, pack_request, unpack_answer, unpack_request
from knowledge.types import LoadedDocument, Section


def test_a_request_comes_through_as_it_was() -> None:
    request = Request("a.pdf", b"%PDF\xff", None, 60.0)
    assert unpack_request(pack_request(request)[HEADER.size :]) == request


@pytest.mark.parametrize(
    "answer",
    [
        "it is a binary file; export it as text.",
        LoadedDocument("T", "Tür 👩", (Section((), 0, 3), Section(("A", "B"), 3, 5)), (0, 4), date(2025, 5, 3)),
        LoadedDocument("T", "x", (Section((), 0, 1),)),
    ],
)
def test_an_answer_comes_through_as_it_was(answer: LoadedDocument | str) -> None:
    assert unpack_answer(pack_answer(answer)[HEADER.size :]) == answer
