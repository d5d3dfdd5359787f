"""What the soak does once with known answers: many outages of one mode, a row for each."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.evidence import Stamped, stamp
from tests.known import certificates
from tests.known.answers import Answer, answered, shared_out, spread

AT_ONCE = 8
OUTAGES = 25


@dataclass(frozen=True)
class Known(Stamped):
    """One outage of known length, seconds; good when what was printed is right and near."""

    mode: str
    true_s: str
    measured_s: str
    low_s: str
    high_s: str
    error_s: str
    allowed_s: str
    inside: str
    near: str

    @property
    def name(self) -> str:
        return self.mode

    @property
    def ok(self) -> bool:
        return (self.inside, self.near) == ("yes", "yes")

    @classmethod
    def of(cls, answer: Answer) -> Known:
        return cls(
            **stamp(),
            mode=answer.truth.mode,
            true_s=f"{answer.truth.length_s:.4f}",
            measured_s=f"{answer.value:.2f}",
            low_s=f"{answer.low:.4f}",
            high_s=f"{answer.high:.4f}",
            error_s=f"{answer.error_s:+.4f}",
            allowed_s=f"{answer.allowed_s:.4f}",
            inside="yes" if answer.inside else "NO",
            near="yes" if answer.near else "NO",
        )


def known_answers(number: int, mode: str) -> list[Known]:
    """Outages of one mode, with lengths that depend on the number of rows there are."""
    outages = spread([mode], count=OUTAGES, seed=f"known answers {number}")
    with tempfile.TemporaryDirectory() as folder:
        pki = certificates.written(Path(folder))
        shares = shared_out(outages, among=AT_ONCE)
        answers = answered(shares, certificates=pki, runs=Path(folder) / "runs")
    return [Known.of(answer) for answer in answers]
