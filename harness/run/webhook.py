"""Telling others that a game-day begins and what came of it: ``{"text": …}`` to a webhook.

The URL is a secret: whoever has it can write there. It is shown nowhere but for its host, and
stands in no file of a run. A webhook that does not answer changes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from quorate.harness.errors import UsageError

VARIABLE = "QUORATE_WEBHOOK"

TIMEOUT_S = (3.05, 5.0)
"""To connect (just over one retransmission of a SYN), to answer."""

TEXT_CHARS = 3000
"""Slack cuts a text at 4000 characters."""


class Webhook:
    """Where messages go. ``say`` is told, once a message, that one did not arrive."""

    def __init__(self, url: str, *, say: Callable[[str], None]) -> None:
        """UsageError, without the URL, where it is none."""
        try:
            parts = urlsplit(url)
            host = parts.hostname if parts.scheme in ("http", "https") else None
        except ValueError:
            host = None
        if not host or not url.isprintable():
            raise UsageError(
                f"--webhook (or ${VARIABLE}): found something that is no http(s) URL with a host; "
                "it is not shown, since it may be a secret"
            )
        self.host = host
        self._url = url
        self._say = say

    def tell(self, text: str) -> bool:
        """Send one message; whether it arrived. Never raises."""
        import requests

        body = {"text": _escaped(text)[:TEXT_CHARS]}
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self._url, json=body, timeout=TIMEOUT_S, allow_redirects=False, stream=True
                )
                code = answer.status_code
        except (requests.RequestException, ValueError) as error:  # their text holds the URL
            return self._failed(type(error).__name__)
        return True if 200 <= code < 300 else self._failed(f"it answered {code}")

    def _failed(self, why: str) -> bool:
        self._say(f"the webhook at {self.host} did not take a message ({why}); the day goes on")
        return False


def _escaped(text: str) -> str:
    """Nothing in it addresses anybody: Slack reads ``<!channel>``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
