"""A page in a real Chromium, and everything that it did there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

SCREENSHOTS = "QUORATE_SCREENSHOTS"
"""A folder that keeps the screenshots; else they lie in the test's own."""

NEAR = 40
"""How far a pixel's colour may be from the one that was meant, each of red, green and blue: the
edges of marks are smoothed. What is filled is just so."""

COUNT_PIXELS = """
([name, near]) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  probe.fillRect(0, 0, 1, 1);
  const meant = probe.getImageData(0, 0, 1, 1).data;
  return Array.from(document.querySelectorAll(".chart canvas"), canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const like = [0, 1, 2].every(c => Math.abs(pixels[i + c] - meant[c]) <= near);
      count += like && pixels[i + 3] > 128;
    }
    return count;
  });
}
"""


@dataclass
class Visit:
    """One opened page: what it asked for, what it complained of, and what it popped up."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def external(self) -> list[str]:
        """Requests for anything but the file itself and data in it."""
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]

    def pixels(self, colour: str) -> list[int]:
        """For each chart, how many of its pixels have a colour of the style (``--good-mark``)."""
        near = 2 if colour.endswith("-band") else NEAR
        counted: list[int] = self.page.evaluate(COUNT_PIXELS, [colour, near])
        return counted

    def violations(self) -> list[str]:
        """What axe-core finds, a line each: the rule, and where it is broken."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@contextmanager
def visiting(browser: Browser, file: Path, **context: Any) -> Iterator[Visit]:
    """Open a file and wait until its charts are drawn."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, **context)
    try:
        visit = Visit(opened.new_page())
        page = visit.page
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: visit.complaints.append(said.text) if said.type == "error" else None,
        )

        def dismissed(dialog: Any) -> None:
            visit.dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismissed)
        page.goto(file.as_uri())
        page.wait_for_timeout(200)  # frames of the browser's own, no clock of ours
        yield visit
    finally:
        opened.close()


def screenshot(visit: Visit, name: str, *, folder: Path) -> Path:
    """The whole page as PNG; returns the file."""
    kept = Path(os.environ.get(SCREENSHOTS) or folder)
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / f"{name}.png"
    visit.page.screenshot(path=file, full_page=True)
    return file
