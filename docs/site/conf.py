"""Sphinx's configuration: `python3 noxfile.py docs` makes the site from docs/ and the code.

Nothing is asked of a network. A line `<!-- made from the code: WORD -->` in a page is replaced by
what reference.py makes of the code, so a page reads the same in the repository, less what is made.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(DOCS.parent))

import quorate  # noqa: E402
from docs.site import reference  # noqa: E402

project = "quorate"
author = "quorate's authors"
project_copyright = f"{author}, Apache-2.0"
version = release = quorate.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
# Tables of evidence are data with a heading at most; pages link to them as files.
exclude_patterns = [
    str(path.relative_to(DOCS))
    for path in (DOCS / "evidence").glob("*.md")
    if path.stem not in ("README", "first-start")
]
suppress_warnings = ["misc.highlighting_failure"]  # a cut-out of JSON is no JSON

html_theme = "furo"
html_title = f"quorate {release}"
html_copy_source = False
html_show_sphinx = False


def _fill_in(_app: Any, _docname: str, source: list[str]) -> None:
    source[0] = reference.filled_in(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
