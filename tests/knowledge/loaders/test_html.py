from datetime import date

import pytest

from knowledge.loaders.html import parse_html
from knowledge.types import LoadedDocument


def spans(document: LoadedDocument) -> list[tuple[tuple[str, ...], str]]:
    return [(each.heading_path, document.text[each.start : each.end].strip()) for each in document.sections]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Any <b>bike</b> in\n  30&nbsp;days &amp; <a href='/x'>more</a>", "Any bike in 30 days & more"),
        ("<p>One<p>Two<div>Three<span> and</span> four</div>", "One\n\nTwo\n\nThree and four"),
        ("<p>1 High Street<br>Berlin<br><br>Ring twice", "1 High Street\nBerlin\n\nRing twice"),
        ("<ul><li>One<ul><li>Two</ul><li><p>Three</ul>", "One\nTwo\nThree"),
        ("<dl><dt>Is it free?<dd>Yes.<dt>Open<dt>Close<dd>At nine</dl>", "Is it free? Yes.\nOpen, Close: At nine"),
        ("<pre><code>make run\n  now\n</code></pre>", "make run\n  now"),
        ("<p>It is <s>ten</s> <del>nine</del> eight euros", "It is eight euros"),
        ("<p>Free<sup><a href='#n1'>1</a></sup><p>Note <a href='#r1'>↑</a>", "Free\n\nNote"),
        ("<details><summary>More</summary>Text</details>", "More\n\nText"),
    ],
)
def test_words_are_kept_without_their_markup(html: str, text: str) -> None:
    assert parse_html(html, "T").text == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("<tr><th>Plan<th>Price<tr><td>Pro<td>$20<tr><td>Free<td>", "Plan: Pro, Price: $20\nPlan: Free"),
        ("<tr><td><b>Plan</b><td><b>Price</b><tr><td>Pro<td>$20", "Plan: Pro, Price: $20"),
        ("<tr><th>Phone<td>123<tr><th>Mail<td>x", "Phone: 123\nMail: x"),
        ("<tr><td>Pro<td>$20", "Pro, $20"),
        ("<thead><tr><td>Plan<td>Price<tbody><tr><td>Pro<td>$20", "Plan: Pro, Price: $20"),
        (
            "<caption>Prices</caption><tr><th>A<th>B<tr><td>1<td>2<tr><td colspan=2>All in",
            "Prices\n\nA: 1, B: 2\nAll in",
        ),
        (
            "<thead><tr><th rowspan=2>Plan<th colspan=2>Price<tr><th>Month<th>Year"
            "<tbody><tr><td rowspan=2>Pro<td>$2<td>$20<tr><td>$3<td>$30",
            "Plan: Pro, Price Month: $2, Price Year: $20\nPlan: Pro, Price Month: $3, Price Year: $30",
        ),
        ("<tr><td><h2>Hours</h2><p>Nine<table><tr><td>x<td>y</table>", "Hours\n\nNine\n\nx, y"),
        (f"<tr><th colspan={'9' * 5000}>A<th>B", ", ".join(["A"] * 100 + ["B"])),
    ],
)
def test_a_row_of_a_table_is_a_line(table: str, text: str) -> None:
    assert parse_html(f"<table>{table}</table>", "T").text == text


@pytest.mark.parametrize(
    "clutter",
    [
        "<script>x</script>",
        "<style>x</style>",
        "<nav>x</nav>",
        "<header>x</header>",
        "<footer>x</footer>",
        "<aside>x</aside>",
        "<form><label>x</label></form>",
        "<p hidden>x",
        "<p style='color: red; display:none'>x",
        "<p aria-hidden=true>x",
        "<div role=navigation>x</div>",
        "<div role=dialog>x</div>",
        "<section aria-label='Cookie banner'>x</section>",
        "<!-- x -->",
        "<noscript>x</noscript>",
        "<h1>Free</h1><a href='#top'>¶</a>",
    ],
)
def test_what_surrounds_the_content_is_dropped(clutter: str) -> None:
    assert parse_html(f"<body>{clutter}<p>Bikes", "T").text.removeprefix("Free\n\n") == "Bikes"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<div>Menu</div><main><header>By us</header><p>All that there is", "By us\n\nAll that there is"),
        ("<div>Menu</div><article>All of one</article><article>and two</article>", "All of one\n\nand two"),
        ("<main>Hi</main><div>All that there is to say</div>", "Hi\n\nAll that there is to say"),
        ("<form><h2>Hours</h2><p>From nine to five</form>", "Hours\n\nFrom nine to five"),
    ],
)
def test_the_content_is_where_most_of_the_words_are(body: str, text: str) -> None:
    assert parse_html(body, "T").text == text


def test_each_heading_opens_a_section_under_its_parents() -> None:
    document = parse_html("<h1>Help</h1><p>Intro<h2>A</h2><p>one<h3>B <small>b</small></h3><p>two<h2>C</h2>three", "T")
    assert spans(document) == [((), "Intro"), (("A",), "one"), (("A", "B b"), "two"), (("C",), "three")]


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title>Refunds | Acme</title>", "Refunds"),
        ("<title>Acme – Refunds</title><body><h1>Refunds</h1>", "Refunds"),
        ("<title>Refunds - Acme</title><meta property=og:site_name content=Acme>", "Refunds"),
        ("<title>Refunds – within 30 days</title>", "Refunds – within 30 days"),
        ("<meta property=og:title content=Refunds>", "Refunds"),
        ("<body><h1>Refunds</h1>", "Refunds"),
        ("<body><h1>One</h1><h1>Two</h1>", "From the file name"),
    ],
)
def test_the_title_is_the_best_that_is_given(head: str, title: str) -> None:
    assert parse_html(f"{head}<p>Free.", "From the file name").title == title


@pytest.mark.parametrize(
    "meta",
    [
        "<meta name=date content=2020-01-01><meta property=article:modified_time content=2025-05-03T10:00Z>",
        "<meta name=DC.date content='3 May 2025'>",
    ],
)
def test_the_metadata_tells_from_when_on_it_holds(meta: str) -> None:
    assert parse_html(f"{meta}<time datetime=2024-01-01>then</time>", "T").effective_date == date(2025, 5, 3)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "Deep" + "</div>" * 100_000 + "<p>End",
        "<table><tr><td>" * 20_000 + "Deep<p>End",
        "<b><i class=x>" * 50_000 + "Deep<p>End",
    ],
)
def test_no_nesting_is_too_deep(html: str) -> None:
    assert parse_html(html, "T").text.split() == ["Deep", "End"]


def test_five_megabytes_without_closing_tags_are_read() -> None:
    paragraph = "<p><b>All bikes come with a lock and two lights, <font color=red>free of charge for all members. " * 3
    html = paragraph * (5_000_000 // len(paragraph))
    assert len(parse_html(html, "T").text) > 2_500_000
