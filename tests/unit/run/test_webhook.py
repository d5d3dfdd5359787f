"""A webhook: what arrives, what it may not do, and that nobody sees where it leads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quorate.harness.errors import UsageError
from quorate.harness.run import webhook
from quorate.harness.run.webhook import Webhook
from quorate.harness.store.run_directory import told_argv

SECRET = "T000-B000-XXXX"


@dataclass
class Listener:
    """An HTTP server on this machine that answers with ``code``."""

    url: str = ""
    code: int = 200
    got: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.got.append((self.path, body))
            self.send_response(made.code)
            self.send_header("Location", made.url + "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/services/{SECRET}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_arrives_as_slack_reads_it(listener: Listener) -> None:
    said: list[str] = []
    assert Webhook(listener.url, say=said.append).tell("day begins, <!channel> & all")
    ((path, body),) = listener.got
    assert path == f"/services/{SECRET}"
    assert json.loads(body) == {"text": "day begins, &lt;!channel&gt; &amp; all"}
    assert said == []


def test_a_long_text_is_cut(listener: Listener) -> None:
    assert Webhook(listener.url, say=print).tell("x" * 100_000)
    assert len(json.loads(listener.got[0][1])["text"]) == webhook.TEXT_CHARS


@pytest.mark.parametrize("code", [301, 404, 500])
def test_a_refusal_is_told_once_and_no_redirection_is_followed(
    listener: Listener, code: int
) -> None:
    listener.code = code
    said: list[str] = []
    assert not Webhook(listener.url, say=said.append).tell("x")
    assert len(listener.got) == 1
    (line,) = said
    assert f"it answered {code}" in line
    assert SECRET not in line


def test_nobody_there_is_told_without_the_address(listener: Listener) -> None:
    said: list[str] = []
    dead = Webhook(f"http://127.0.0.1:9/services/{SECRET}", say=said.append)
    assert not dead.tell("x")
    (line,) = said
    assert "the webhook at 127.0.0.1 did not take a message (ConnectionError)" in line
    assert SECRET not in line


def test_the_proxy_of_the_environment_is_not_asked(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Webhook(listener.url, say=print).tell("x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"ftp://x/{SECRET}",
        f"https:///{SECRET}",
        f"http://[{SECRET}",
        f"http://x/\n{SECRET}",
    ],
)
def test_what_is_no_url_is_usage_and_is_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match=r"--webhook \(or \$QUORATE_WEBHOOK\)") as error:
        Webhook(url, say=print)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "given", [["--webhook", f"https://x/{SECRET}"], [f"--webhook=https://x/{SECRET}"]]
)
def test_no_run_keeps_the_url(given: list[str]) -> None:
    kept = told_argv(["quorate", "gameday", *given, "core"])
    assert SECRET not in " ".join(kept)
    assert kept[:2] == ["quorate", "gameday"]
    assert kept[-1] == "core"
    assert told_argv(["quorate", "run", "x.yaml"]) == ["quorate", "run", "x.yaml"]
