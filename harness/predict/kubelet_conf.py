"""A KubeletConfiguration as text → facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import KubeletFacts
from quorate.harness.predict.static_pods import duration_s


def parse_kubelet(text: str) -> KubeletFacts:
    """Facts of one config.yaml; DriverError for any other text. 0 means the default.

    Where only ``nodeStatusUpdateFrequency`` is given it is the one of reports too (kubelet
    config/v1beta1/defaults.go).
    """
    try:
        found = yaml.safe_load(text)
        lease_s = float(found.get("nodeLeaseDurationSeconds") or KubeletFacts.lease_s)
        report_s = _seconds(found, "nodeStatusReportFrequency")
        report_s = report_s or _seconds(found, "nodeStatusUpdateFrequency")
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise DriverError(f"no KubeletConfiguration: {error}") from error
    return KubeletFacts(lease_s=lease_s, report_s=report_s or KubeletFacts.report_s)


def _seconds(found: Mapping[str, Any], name: str) -> float:
    return duration_s(str(found.get(name) or "0"), what=name)
