import pytest
from selectolax.lexbor import LexborHTMLParser

from knowledge.loaders.html_content import MAX_DEPTH, flattened, walk


@pytest.mark.parametrize(
    ("html", "flat"),
    [
        ("<p>One <EM class=x>two</EM> <a href='/x'>three</a>", "<p>One two <a href='/x'>three</a>"),
        ("<b>One</b> <s>two</s>", "<mark>One</mark> <del>two</del>"),
        ("1 < 2 <-- so", "1 < 2 <-- so"),
    ],
)
def test_only_the_tags_that_format_are_taken_out(html: str, flat: str) -> None:
    assert flattened(html) == flat


def test_tags_that_are_nested_too_deeply_are_taken_out_and_their_words_stay() -> None:
    too_deep = MAX_DEPTH + 10
    flat = flattened("<div>" * too_deep + "x" + "</div>" * too_deep + "<div>y</div>")
    assert flat == "<div>" * MAX_DEPTH + "x" + "</div>" * MAX_DEPTH + "<div>y</div>"


def test_elements_that_end_by_themselves_do_not_count_as_nested() -> None:
    html = "<p>One<br><img>" * MAX_DEPTH * 2
    assert flattened(html) == html


def test_a_walk_opens_and_closes_each_element_but_for_those_to_skip() -> None:
    root = LexborHTMLParser("<body><p>One<i>x</i></p><ul><li>Two</ul>").body
    assert root is not None
    steps = [f"{'' if opens else '/'}{node.tag}" for node, opens in walk(root, skip=lambda each: each.tag == "i")]
    assert [step for step in steps if "text" not in step] == ["body", "p", "/p", "ul", "li", "/li", "/ul", "/body"]
