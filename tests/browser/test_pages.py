"""report.html and index.html in a browser: drawn, quiet, asking nobody, readable by everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.browsing import screenshot, visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Pages = dict[str, Path]

BAD_PAGE = """<!DOCTYPE html><html><head><title>x</title></head><body>
<p style="color:#999;background:#fff">faint</p><img src="https://nobody.invalid/x.png">
<div class="chart"><canvas width="300" height="150"></canvas></div>
<script>alert("here"); throw new Error("broken")</script></body></html>"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["met", "missed", "hostile", "index"])
def test_a_page_is_quiet_and_accessible(
    browser: Browser, pages: Pages, tmp_path: Path, name: str, scheme: str
) -> None:
    with visiting(browser, pages[name], color_scheme=scheme) as visit:
        assert visit.complaints == []
        assert visit.external == []
        assert visit.dialogs == []
        assert visit.violations() == []
        assert screenshot(visit, f"{name}-{scheme}", folder=tmp_path).stat().st_size > 10_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_drawn(browser: Browser, pages: Pages, scheme: str) -> None:
    with visiting(browser, pages["met"], color_scheme=scheme) as visit:
        assert len(visit.pixels("--good-mark")) == 2, "one for each probe"
        for colour, least in (
            ("--good-mark", 200),
            ("--bad-mark", 50),
            ("--deadline", 200),
            ("--fault-band", 2000),
            ("--baseline-band", 2000),
        ):
            assert min(visit.pixels(colour)) > least, colour


def test_without_scripts_all_but_the_charts_is_there(browser: Browser, pages: Pages) -> None:
    with visiting(browser, pages["met"], java_script_enabled=False) as visit:
        page = visit.page
        assert page.locator(".chart canvas").count() == 0
        assert page.locator("svg.strip").first.is_visible()
        assert page.get_by_text("The zoomable charts need scripts").is_visible()
        assert not page.locator(".tools").is_visible()


def test_the_page_is_zoomed_by_keyboard(browser: Browser, pages: Pages) -> None:
    with visiting(browser, pages["met"]) as visit:
        page = visit.page
        before = page.locator("svg.strip").first.get_attribute("viewBox")
        whole = page.locator(".shown").text_content()
        page.get_by_role("button", name="Only fault").focus()
        page.keyboard.press("Enter")
        assert page.locator(".shown").text_content() == "Shown: 10.59 to 16.61 s"
        assert page.locator("svg.strip").first.get_attribute("viewBox") != before
        for _ in range(3):
            page.get_by_role("button", name="Zoom in").press("Space")
        page.get_by_role("button", name="Whole run").press("Enter")
        assert page.locator(".shown").text_content() == whole
        assert visit.complaints == []


def test_the_page_is_zoomed_by_dragging(browser: Browser, pages: Pages) -> None:
    with visiting(browser, pages["met"]) as visit:
        page = visit.page
        page.locator(".chart").first.scroll_into_view_if_needed()
        box = page.locator(".chart .u-over").first.bounding_box()
        assert box is not None
        whole = page.locator(".shown").text_content()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.4, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=5)
        page.mouse.up()
        page.wait_for_function(
            "text => document.querySelector('.shown').textContent !== text", arg=whole
        )
        page.mouse.dblclick(box["x"] + 20, y)
        page.wait_for_function(
            "text => document.querySelector('.shown').textContent === text", arg=whole
        )
        assert visit.complaints == []


def test_a_printed_page_is_light_and_unfolded(
    browser: Browser, pages: Pages, tmp_path: Path
) -> None:
    with visiting(browser, pages["met"], color_scheme="dark") as visit:
        page = visit.page
        page.emulate_media(media="print", color_scheme="dark")
        page.wait_for_timeout(200)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert page.locator("details:not([open])").count() == 0
        assert not page.locator(".tools").is_visible()
        assert min(visit.pixels("--bad-mark")) > 50, "the charts too are drawn for paper"
        screenshot(visit, "met-print", folder=tmp_path)
        printed = tmp_path / "met.pdf"
        page.pdf(path=printed)
        assert printed.stat().st_size > 20_000


def test_what_is_wrong_with_a_page_is_found(browser: Browser, tmp_path: Path) -> None:
    """The control: each of the checks above fails on a page that breaks each of the rules."""
    file = tmp_path / "bad.html"
    file.write_text(BAD_PAGE)
    with visiting(browser, file) as visit:
        assert any("broken" in one for one in visit.complaints)
        assert visit.external == ["https://nobody.invalid/x.png"]
        assert visit.dialogs == ["here"]
        rules = {one.partition(":")[0] for one in visit.violations()}
        assert {"html-has-lang", "image-alt", "color-contrast"} <= rules
        assert visit.pixels("--good-mark") == [0]
