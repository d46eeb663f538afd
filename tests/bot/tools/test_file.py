"""A file of tools is read as it is written, and each mistake in it is told by its line."""

import pytest

from bot.tools.file import parsed

GOOD = """\
# The shop's own services.
tools:
  - name: order_status
    description: Looks up where an order is.
    parameters:
      order: {description: the order's number}
    url: https://shop.example/orders/{order}
    headers:
      Authorization: "Bearer ${SHOP_TOKEN}"
    filler: One moment.
"""


def test_a_tool_is_read_with_the_key_of_its_header():
    (tool,) = parsed(GOOD, variables={"SHOP_TOKEN": "s3cret"})
    assert tool.name == "order_status"
    assert tool.headers["Authorization"].get_secret_value() == "Bearer s3cret"


def test_an_address_may_come_from_a_variable():
    text = GOOD.replace("https://shop.example", "${SHOP_URL}")
    (tool,) = parsed(text, variables={"SHOP_TOKEN": "s3cret", "SHOP_URL": "https://test.example"})
    assert tool.url == "https://test.example/orders/{order}"


def test_a_key_is_in_no_text_of_the_tool():
    assert "s3cret" not in repr(parsed(GOOD, variables={"SHOP_TOKEN": "s3cret"}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    filler:", "    fillers:", "line 10: fillers is not known here"),
        ("    filler:", "    url:", "line 10: url stands twice"),
        ("https://shop.example", "http://shop.example", "line 3: .*url must be https"),
        ("https://shop.example/orders/{order}", "ftp://x", "line 3: .*url must begin with https"),
        ("/{order}", "/{number}", "line 3: .*{number}, which is none of the parameters"),
        ("order_status", "end_call", "line 3: .*end_call is a tool of Jarvis' own"),
        ("order_status", "Order-Status", "line 3: .*a name is 1 to 63 small letters"),
        ("${SHOP_TOKEN}", "${SHOP_TOKN}", "line 9: the variable SHOP_TOKN is not set"),
        ("{description: the order's number}", "{}", "line 6: description is missing"),
        ("{description: the order's number}", "{type: text, description: x}", "line 6: type: "),
        ("    filler: One moment.", "    timeout_secs: 90", "line 10: timeout_secs: "),
        ("    filler: One moment.", "    filler: [", "line 11: this is no YAML"),
        ("tools:", "tool:", "line 2: tool is not known here"),
    ],
)
def test_a_mistake_is_told_by_its_line(old: str, new: str, said: str):
    with pytest.raises(ValueError, match=said):
        parsed(GOOD.replace(old, new), variables={"SHOP_TOKEN": "s3cret"})


def test_an_empty_file_says_how_to_begin():
    with pytest.raises(ValueError, match="begin with `tools:`"):
        parsed("# nothing yet\n", variables={})


def test_a_name_that_was_there_before_is_refused():
    twice = GOOD + GOOD.split("tools:\n")[1]
    with pytest.raises(ValueError, match="line 11: a tool order_status was there before"):
        parsed(twice, variables={"SHOP_TOKEN": "s3cret"})


def test_no_mistake_tells_a_key():
    with pytest.raises(ValueError, match="more than one line") as raised:
        parsed(GOOD, variables={"SHOP_TOKEN": "s3cret\nX-Other: 1"})
    assert "s3cret" not in str(raised.value)
