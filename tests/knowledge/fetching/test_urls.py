import pytest
from yarl import URL

from knowledge.errors import DocumentError
from knowledge.fetching.urls import MAX_URL_CHARACTERS, checked_url, redirect_target


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        (" HTTP://Example.COM:80/a/../b?q=1#part ", "http://example.com/b?q=1"),
        ("https://example.com:8443/ä b", "https://example.com:8443/%C3%A4%20b"),
    ],
)
def test_a_url_comes_in_its_normal_form_without_its_fragment(text: str, normal: str) -> None:
    assert str(checked_url(text)) == normal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://example.com/a", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("javascript:alert(1)", "begins with https"),
        ("gopher://example.com/", "begins with https"),
        ("example.com/a", "begins with https"),
        ("//example.com/a", "begins with https"),
        ("/etc/passwd", "begins with https"),
        ("", "begins with https"),
        ("http:///a", "begins with https"),
        ("http://[::1", "not a valid"),
        ("http://example.com:99999/", "not a valid"),
        ("http://example.com\\@other.example/", "not a valid"),
        ("http://exam\nple.com/", "line break"),
        ("http://example.com/\r\nX: y", "line break"),
        ("http://example.com:22/", "port 22"),
        ("http://example.com:5432/", "port 5432"),
        ("https://user@example.com/", "password"),
        ("https://:pass@example.com/", "password"),
        ("https://example.com/" + "a" * MAX_URL_CHARACTERS, "longer than"),
        ("https://example.com/" + "ä" * 400, "longer than"),
    ],
)
def test_a_url_that_may_not_be_fetched_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        checked_url(text)


@pytest.mark.parametrize("text", ["https://me:secret@example.com/", "https://me:secret@example.com:99999/"])
def test_an_error_does_not_repeat_a_password(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        checked_url(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://example.com/b"),
        ("c?d=e#f", "https://example.com/a/c?d=e"),
        ("//other.example/", "https://other.example/"),
        ("https://other.example:8443/", "https://other.example:8443/"),
    ],
)
def test_a_redirect_is_read_from_where_it_stands(location: str, target: str) -> None:
    assert str(redirect_target(URL("https://example.com/a/"), location)) == target


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://example.com/a", "not encrypted"),
        ("file:///etc/passwd", "begins with https"),
        ("https://user:pass@example.com/", "password"),
        ("https://example.com:22/", "port 22"),
        ("https://[::1", "not a valid"),
    ],
)
def test_a_redirect_that_may_not_be_followed_is_refused(location: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        redirect_target(URL("https://example.com/a"), location)


def test_a_redirect_may_lead_to_an_encrypted_page() -> None:
    assert str(redirect_target(URL("http://example.com/"), "https://example.com/")) == "https://example.com/"
