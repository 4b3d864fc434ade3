"""Other stores of measurements: VictoriaMetrics, and all that take Prometheus remote write."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from gzip import compress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from fleet.errors import Missing, Rejected, Unexpected, Unreachable
from fleet.metrics.sink import Taken
from fleet.metrics.wire import text_lines, write_request

_LINES = 50_000  # in a request: some megabytes
_SAMPLES = 100  # of devices, in a request
_TIMEOUT_S = (3.0, 10.0)  # to connect, to be answered
_GZIP_LEVEL = 1
_NEVER = re.compile("out.of.(order|bounds)|too.(old|far)|duplicate sample", re.IGNORECASE)
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where another store is, and how it lets us in.

    Args:
        user: with `secret`, its password (RFC 7617); without one `secret` is a bearer token
            (RFC 6750).
        ca: a file of certificates to trust, PEM.
        headers: that it wants besides, such as a tenant.
    """

    url: str
    user: str | None = None
    secret: str | None = field(default=None, repr=False)
    ca: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class VictoriaMetrics:
    """Lines of text with their instants, which may be as old as the store's retention.

    https://docs.victoriametrics.com/victoriametrics/#how-to-import-data-in-prometheus-exposition-format
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def write(self, batch: Sequence[Taken]) -> None:
        """Send samples; the same ones again change nothing."""
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        for lines in _portions(text_lines(batch), _LINES):
            body = compress("\n".join([*lines, ""]).encode(), _GZIP_LEVEL)
            _post(self._door, "/api/v1/import/prometheus", body, headers)


class RemoteWrite:
    """Prometheus remote write 1.0, to a Prometheus, Mimir, Thanos or VictoriaMetrics.

    https://prometheus.io/docs/specs/prw/remote_write_spec/
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def write(self, batch: Sequence[Taken]) -> None:
        """Send samples; the same ones again change nothing.

        Raises:
            Missing: what compresses them is not installed.
        """
        refused: Rejected | None = None
        for some in _portions(batch, _SAMPLES):
            refused = self._send(some) or refused
        if refused is not None:
            raise refused

    def _send(self, some: Sequence[Taken]) -> Rejected | None:
        """Send a request; one that is refused goes again in halves: some of it may be taken."""
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        try:
            if request := write_request(some):
                _post(self._door, "", _snappy(request), headers)
        except Rejected as error:
            half = len(some) // 2
            if not half:
                return error
            refused = [self._send(part) for part in (some[:half], some[half:])]
            return refused[0] or refused[1]
        return None


def _snappy(octets: bytes) -> bytes:
    try:
        from pyarrow import compress as with_codec
    except ImportError as error:
        hint = "pip install 'fleet-toolkit[metrics]'"
        raise Missing("remote write needs pyarrow", hint=hint) from error
    compressed: bytes = with_codec(octets, codec="snappy", asbytes=True)
    return compressed


def _portions(items: Iterable[_Item], most: int) -> Iterator[list[_Item]]:
    left = iter(items)
    while portion := list(islice(left, most)):
        yield portion


def _post(door: Door, path: str, body: bytes, headers: Mapping[str, str]) -> None:
    import requests

    own = {**headers, **door.headers, "User-Agent": "fleet"}
    if door.secret is not None:
        basic = b64encode(f"{door.user}:{door.secret}".encode()).decode()
        own["Authorization"] = f"Bearer {door.secret}" if door.user is None else f"Basic {basic}"
    # HTTP sends Latin-1: what is more goes as the octets of UTF-8.
    coded = {name: value.encode().decode("latin-1") for name, value in own.items()}
    try:
        answer = requests.post(
            door.url.rstrip("/") + path,
            data=body,
            headers=coded,
            auth=lambda request: request,  # ours, and not what ~/.netrc has
            timeout=_TIMEOUT_S,
            verify=True if door.ca is None else door.ca,
            allow_redirects=False,
        )
    except (requests.RequestException, OSError, ValueError) as error:
        why = error if door.ca and not Path(door.ca).exists() else type(error).__name__
        raise Unreachable(f"{door.url} does not answer: {why}") from None
    if answer.status_code >= 300:
        said = answer.text.strip().splitlines()[:1] or [answer.reason]
        # Prometheus and Mimir: what is too old for them now is so tomorrow.
        kind = Rejected if answer.status_code == 400 and _NEVER.search(said[0]) else Unexpected
        raise kind(f"{door.url} answers {answer.status_code}: {said[0][:200]}")
