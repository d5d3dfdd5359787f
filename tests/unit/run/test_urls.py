"""URLs under watch: looked up once, written down, asked at their first address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.run.urls import url_plans


@dataclass
class Directory:
    events: list[dict[str, Any]] = field(default_factory=list)

    def append_event(self, kind: str, **data: Any) -> None:
        self.events.append({"kind": kind, **data})


def spec(url: str = "https://shop.example/", **more: Any) -> ProbeSpec:
    raw = {"probe": "url_reachability", "url": url, "connection": "new", "rate_hz": 10, **more}
    return ProbeSpec.model_validate(raw)


def plans(
    cluster: Cluster,
    directory: Directory,
    probes: dict[str, ProbeSpec],
    *,
    addresses: tuple[str, ...] = ("192.0.2.7", "192.0.2.8"),
) -> dict[str, ProbePlan]:
    def look_up(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError(-2, "Name or service not known")
        return list(addresses)

    experiment = SimpleNamespace(probes=probes, hard_timeout_s=lambda name: 7.0)
    request = SimpleNamespace(experiment=experiment, cluster=cluster)
    return url_plans(directory, request, addresses=look_up)  # type: ignore[arg-type]


API = ProbeSpec(probe="api_quorum_read", path="vip", connection="new", rate_hz=10)


def test_it_is_asked_at_its_first_address_by_its_own_name(cluster: Cluster) -> None:
    directory = Directory()
    probes = {"api": API, "shop": spec(status=[200, 204], contains="hello")}
    made = plans(cluster, directory, probes)
    assert set(made) == {"shop"}
    shop = made["shop"]
    assert (shop.host, shop.port, shop.server_name) == ("192.0.2.7", 443, "shop.example")
    assert (shop.status, shop.body_contains, shop.hard_timeout_s) == ((200, 204), "hello", 7.0)
    assert "Host: shop.example\r\n" in shop.requests[0]
    told = {"host": "shop.example", "addresses": ["192.0.2.7", "192.0.2.8"]}
    assert directory.events == [{"kind": "url_address", "probe": "shop", **told}]


def test_a_cluster_s_identity_is_not_shown_to_it(cluster: Cluster) -> None:
    https = plans(cluster, Directory(), {"shop": spec()})["shop"].credentials
    assert https is not None
    assert (https.ca_pem, https.certificate_pem, https.key_pem) == ("", "", "")
    plain = plans(cluster, Directory(), {"shop": spec("http://shop.example/")})
    assert plain["shop"].credentials is None


def test_authorities_of_the_cluster_s_own(cluster: Cluster, tmp_path: Path) -> None:
    own = cluster.model_copy(update={"ca": tmp_path / "ca.pem"})
    with pytest.raises(RefusedError, match=r"ca of cluster.yaml: .*ca.pem cannot be read"):
        plans(own, Directory(), {"shop": spec()})
    (tmp_path / "ca.pem").write_text("AUTHORITIES")
    made = plans(own, Directory(), {"shop": spec()})["shop"].credentials
    assert made is not None
    assert made.ca_pem == "AUTHORITIES"


def test_a_name_without_an_address_is_refused(cluster: Cluster) -> None:
    with pytest.raises(RefusedError, match=r"probe shop: shop.example has no address: Name or"):
        plans(cluster, Directory(), {"shop": spec()}, addresses=())
