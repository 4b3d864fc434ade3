"""Reconciling with a NetBox over HTTP: what it promises, and what goes wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.sources.netbox.fake import FakeNetBox
from tests.netbox_contract import Contract, call


@dataclass
class Fake:
    """The NetBox that is none, as the contract wants it."""

    server: FakeNetBox

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def token(self) -> str:
        return self.server.token

    def api(self, method: str, path: str, body: object = None) -> Any:
        before = list(self.server.heard)
        try:
            return call(self.url, self.token, method, path, body)
        finally:
            self.server.heard[:] = before


@pytest.fixture(params=["4.0.6", "4.4.1", "4.7.3"])
def netbox(request: pytest.FixtureRequest) -> Iterator[Fake]:
    with FakeNetBox(version=request.param) as server:
        yield Fake(server)


class TestFake(Contract):
    """The contract, on the NetBox that is none, as two versions."""
