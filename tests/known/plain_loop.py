"""What a plain loop over `http.client` or `requests` costs; a program beside the sampler.

    python3 -m tests.known.plain_loop CLIENT CONNECTION RATE_HZ SECONDS FOLDER_OF_CERTIFICATES

It asks one request after another, at RATE_HZ (0: as fast as it can), and prints CPU seconds a
request. Certificates are loaded once, as the sampler does; `requests` has no way to do that over
new connections without a session, so there it loads them anew: that is its plain loop.
"""

from __future__ import annotations

import http.client
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.known.server import ADDRESS, BODY

HOST, PORT = ADDRESS


def by_http_client(folder: Path, *, reused: bool) -> Callable[[], bytes]:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    kept = http.client.HTTPSConnection(HOST, PORT, context=context)

    def ask() -> bytes:
        one = kept if reused else http.client.HTTPSConnection(HOST, PORT, context=context)
        one.request("GET", "/")
        body = one.getresponse().read()
        if not reused:
            one.close()
        return body

    return ask


def by_requests(folder: Path, *, reused: bool) -> Callable[[], bytes]:
    session = requests.Session()
    get = session.get if reused else requests.get
    pair = (str(folder / "client.pem"), str(folder / "client.key"))
    url = f"https://{HOST}:{PORT}/"
    return lambda: get(url, verify=str(folder / "ca.pem"), cert=pair, timeout=5).content


CLIENTS = {"http.client": by_http_client, "requests": by_requests}


def main(words: list[str]) -> None:
    client, connection, rate_hz, seconds, folder = words
    ask = CLIENTS[client](Path(folder), reused=connection == "reused")
    assert ask() == BODY
    pause_s = 1 / float(rate_hz) if float(rate_hz) else 0.0
    due, count, before = time.monotonic(), 0, time.process_time()
    ends = due + float(seconds)
    while due < ends:
        assert ask() == BODY
        count += 1
        due = due + pause_s if pause_s else time.monotonic()
        time.sleep(max(0.0, due - time.monotonic()))
    print((time.process_time() - before) / count)


if __name__ == "__main__":
    main(sys.argv[1:])
