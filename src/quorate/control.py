"""The Chaos Toolkit control of every quorate experiment: `provider: {module: quorate.control}`."""

from __future__ import annotations

from quorate.harness.control import (
    after_activity_control,
    after_experiment_control,
    before_experiment_control,
)

__all__ = ["after_activity_control", "after_experiment_control", "before_experiment_control"]
