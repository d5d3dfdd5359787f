"""report.html: self-contained, safe, honest, and readable by everybody."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from array import array
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quorate.harness.model.timeline import SampleSeries
from quorate.harness.model.verdict import State
from quorate.reports.hostile import LONGEST
from quorate.reports.html import PAGE, UPLOT, render_html
from tests.unit.reports.hostile_run import (
    ATTACK,
    GOOD_RUN,
    LONG,
    MISSED_RUN,
    hostile_record,
    record_of,
)


class Page(HTMLParser):
    """The tags of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.texts: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.scripts[-1] += data
        elif self._within == "style":
            self.styles.append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def good() -> str:
    return render_html(record_of(GOOD_RUN))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render_html(hostile_record(tmp_path_factory.mktemp("hostile")))


def outside(page: Page) -> list[str]:
    """Everything in a page that could make a browser ask somebody for something."""
    found = []
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            address = name in ("src", "href", "action", "data", "srcset", "poster", "xlink:href")
            if address and not str(value).startswith(("#", "data:,")):
                found.append(f"{tag} {name}={value}")
    for style in page.styles:
        found += re.findall(r"url\([^)]*\)|@import[^;]*", style)
    return found


def test_the_verdict_comes_first(good: str) -> None:
    text = Page(good).text
    told = ["MET", "every objective was met", "Exit code 0: MET", "Objectives", "Data safety"]
    places = [text.index(one) for one in told]
    assert places == sorted(places)
    assert "<title>MET: Losing the machine" in good


def test_all_that_a_reader_asks_is_there() -> None:
    text = Page(render_html(record_of(MISSED_RUN))).text
    for said in (
        "MISSED",
        "longest_outage_s of api during fault at a deadline of 1 s",
        "at most 5 s",
        "proved: ",
        "its own lateness",
        "SCHED_FIFO 10",
        "What clients saw while the fault was on",
        "Why this run counts, or does not",
        "not written down by this run",
    ):
        assert said in text, said


def test_a_page_asks_nobody_for_anything(good: str, hostile: str) -> None:
    for page in (good, hostile):
        assert outside(Page(page)) == []


def test_what_would_ask_somebody_is_found() -> None:
    bad = '<img src="https://x.example/a"><link href="a.css"><style>a{b:url(x)}</style>'
    assert len(outside(Page(bad))) == 3


def test_only_its_own_scripts_may_run(good: str, hostile: str) -> None:
    for text in (good, hostile):
        page = Page(text)
        policy = next(
            str(one["content"]) for tag, one in page.tags if tag == "meta" and "http-equiv" in one
        )
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for script in page.scripts[1:]:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
        digest = base64.b64encode(hashlib.sha256("".join(page.styles).encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_hostile_texts_stay_texts(hostile: str) -> None:
    page = Page(hostile)
    assert len(page.scripts) == 3, "the data, the library, the charts"
    assert not [tag for tag, _ in page.tags if tag == "img"]
    events = [name for _, one in page.tags for name in one if name.startswith("on")]
    assert events == []
    assert "{{7*7}}" in page.text, "no template"
    assert "\\x1b[31mred" in page.text, "spelled out"
    assert "\\u202egnp.exe" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800-\udfff]", hostile)
    data = json.loads(page.scripts[0])
    assert "</script>" not in hostile[hostile.index('id="run-data"') :].split("</script>")[0]
    assert data["faults"][0][0].startswith("</script><script>alert(1)")
    hostile.encode()  # no lone surrogate is left


def test_a_long_name_is_cut_and_counted(hostile: str) -> None:
    assert LONG not in hostile
    assert f"({10_000 - LONGEST} characters more)" in Page(hostile).text


def test_without_escaping_the_attack_would_work() -> None:
    page = Page(f"<p>{ATTACK}</p>")
    assert "img" in [tag for tag, _ in page.tags]
    assert any(name.startswith("on") for _, one in page.tags for name in one)


def test_what_is_not_ended_or_still_faulted_is_never_met() -> None:
    record = record_of(GOOD_RUN)
    for exit_code, ended in ((3, "not ended"), (3, "interrupted"), (4, "completed")):
        changed = replace(record, exit_code=exit_code, ended=ended, why_ended="Ctrl-C")
        assert changed.state is State.INCONCLUSIVE
        page = Page(render_html(changed))
        assert page.text.count("MET: Losing") == 0
        assert f"Exit code {exit_code}" in page.text
    assert "The cluster may still be faulted. Run quorate undo" in page.text


def test_a_run_whose_process_died_says_so() -> None:
    record = record_of("20260101T000000Z-killed_in_the_outage-0000")
    text = Page(render_html(record)).text
    assert "its process died, or it is still under way" in text
    assert "not a stored verdict" in text


@pytest.mark.parametrize(
    "name", ["no_data", "refused", "lost_lines", "rescheduled", "sampler_died"]
)
def test_every_kind_of_run_has_a_page(name: str) -> None:
    record = record_of(f"20260101T000000Z-{name}-0000")
    page = Page(render_html(record))
    assert record.state in page.text
    assert (name == "rescheduled") is ("Not before Seen at" in page.text)


def test_pages_are_small() -> None:
    """Two minutes of eight paths at 20 Hz, every answer with another length."""
    record = record_of(GOOD_RUN)
    series, judged = _two_minutes(record.timeline.series["api"]), record.judged[0]
    names = [f"api{n}" for n in range(8)]
    spec = record.experiment.probes["api"]
    wide = replace(
        record,
        timeline=replace(record.timeline, series=dict.fromkeys(names, series)),
        experiment=record.experiment.model_copy(update={"probes": dict.fromkeys(names, spec)}),
        judged=tuple(
            replace(judged, probe=name, codes=bytes(2400), first_due=0.0) for name in names
        ),
    )
    page = render_html(wide)
    assert page.count("All 2400 samples are drawn") == 8
    assert len(page.encode()) < 1_500_000


def _two_minutes(series: SampleSeries) -> SampleSeries:
    count = 2400
    due = array("d", (0.05 * k + 0.000123 for k in range(count)))
    end = array("d", (t + 0.004321 + (k % 977) / 12345 for k, t in enumerate(due)))
    zeros = array("I", [0] * count)
    return replace(
        series,
        k=array("q", range(count)),
        due=due,
        end=end,
        outcome=bytes(count),
        detail=zeros,
        peer=zeros,
        texts=("",),
        stalled_s={},
    )


# --- readable by everybody


def test_every_figure_and_table_says_what_it_is(good: str) -> None:
    page = Page(good)
    svgs = [one for tag, one in page.tags if tag == "svg"]
    assert all(one.get("aria-label") or one.get("aria-hidden") == "true" for one in svgs)
    assert any("60 bad" in str(one.get("aria-label")) for one in svgs), "the strip in words"
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption") > 5
    assert tags.count("h1") == 1
    assert {"header", "nav", "main"} <= set(tags)
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert ("html", {"lang": "en"}) in page.tags
    ids = [str(one["id"]) for _, one in page.tags if "id" in one]
    assert len(ids) == len(set(ids))
    targets = {str(one["href"])[1:] for tag, one in page.tags if tag == "a"}
    assert targets <= set(ids)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2's ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _palettes() -> list[dict[str, str]]:
    blocks = re.findall(r":root[^{]*\{([^}]*--paper[^}]*)\}", (PAGE / "style.css").read_text())
    return [dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
def test_colours_stand_out(palette: dict[str, str]) -> None:
    papers = {"text": ("paper", "sheet"), "faint": ("paper",), "link": ("paper",)}
    papers |= {"met": ("met-paper",), "missed": ("missed-paper",), "unsure": ("unsure-paper",)}
    for name in ("met", "missed", "unsure"):
        assert contrast(palette["text"], palette[f"{name}-paper"]) >= 4.5
    for ink, grounds in papers.items():
        for ground in grounds:
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    bands = ("paper", "sheet", "fault-band", "baseline-band", "return-band")
    for mark in ("good-mark", "slow-mark", "bad-mark", "unknown-mark", "deadline"):
        for ground in bands:
            assert contrast(palette[mark], palette[ground]) >= 3, (mark, ground)


def test_contrast_is_told_as_wcag_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01), (
        "the well-known near miss"
    )


@pytest.mark.parametrize(
    ("file", "digest"),
    [
        ("uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
        ("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    ],
)
def test_the_vendored_library_is_unchanged(file: str, digest: str) -> None:
    content = (PAGE / UPLOT / file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    assert b"MIT" in (PAGE / UPLOT / "LICENSE").read_bytes()


def test_templates_never_switch_escaping_off(root: Path) -> None:
    """But for our own style and scripts, whose hashes the page names."""
    for file in (root / "reports" / "page").glob("*.j2"):
        unescaped = re.findall(r"\{\{[^}]*\|\s*safe\s*\}\}", file.read_text())
        assert [one for one in unescaped if ".text|safe" not in one] == []
        assert "autoescape" not in file.read_text()
