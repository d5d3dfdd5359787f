"""A URL is taken apart, and what cannot be asked or must not be written down is refused."""

from __future__ import annotations

import pytest

from quorate.harness.model.url import Url, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://shop.example", Url("https", "shop.example", 443, "/")),
        ("http://shop.example/a/b?c=d", Url("http", "shop.example", 80, "/a/b?c=d")),
        ("https://10.0.0.1:8443/x", Url("https", "10.0.0.1", 8443, "/x")),
        ("http://[2001:db8::1]:81?q", Url("http", "2001:db8::1", 81, "/?q")),
    ],
)
def test_its_parts(text: str, expected: Url) -> None:
    assert parse_url(text) == expected


def test_the_authority_names_the_port_where_it_is_another() -> None:
    found = [
        parse_url(f"http://{one}/").authority for one in ("a.b", "a.b:80", "a.b:81", "[::1]:8")
    ]
    assert found == ["a.b", "a.b", "a.b:81", "[::1]:8"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shop.example", "begins with http"),
        ("ftp://shop.example", "begins with http"),
        ("https://me:secret@shop.example", "without user and password"),
        ("https://token@shop.example", "without user and password"),
        ("https://shop.example/#top", "without #fragment"),
        ("https:///x", "host name or an IP"),
        ("https://-x/", "host name or an IP"),
        ("https://a_b/", "host name or an IP"),
        ("https://shop.example:0/", "port from 1"),
        ("https://shop.example:99999/", "http\\(s\\)://host"),
        ("https://[::1/", "http\\(s\\)://host"),
        ("https://shop.example/a b", "without blanks"),
        ("https://shop.example/\r\nX: y", "without blanks"),
        ("https://shöp.example/", "ASCII"),
        ("", "ASCII"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_url(text)
