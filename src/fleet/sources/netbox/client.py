"""Asking NetBox and writing to it, over pynetbox; only plain values leave this module.

pynetbox builds Records that ask the server again for every attribute that they lack, so its
endpoints are made to give dictionaries. Lists are read by key (`id__gt`), never by offset, which
loses rows when somebody deletes meanwhile. Only GET is repeated: a write that was not answered
may have happened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pynetbox
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Retry

from fleet.core.record import Record
from fleet.errors import Rejected, RemoteError, TimedOut, Unexpected, Unreachable
from fleet.sources.netbox.versions import Capabilities, read_version

CONNECT_S = 5.0
_PAGE = 1000
_IDS = 200  # in one request: more make the URL too long
_REPEATED = (429, 502, 503, 504)
_UNCERTAIN = frozenset({408, 500, 502, 503, 504})


class Refused(Exception):
    """NetBox did not accept a write, and has written nothing of it.

    Args:
        message: what it said.
        rows: by place in what was sent, what is wrong there; empty: it did not say where.
    """

    def __init__(self, message: str, rows: Mapping[int, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.rows = dict(rows or {})


@dataclass(frozen=True, slots=True)
class Page:
    """Objects of one type, and whether they are all of them."""

    objects: tuple[Record, ...]
    is_whole: bool
    why_not: str | None = None


class _Session(requests.Session):
    """A session that never waits for ever, and repeats only what only reads."""

    def __init__(self, timeout_s: float, ca: str | None) -> None:
        super().__init__()
        self._timeout = (CONNECT_S, timeout_s)
        self.requests = 0
        self.auth = lambda request: request  # else ~/.netrc would replace the token
        self._ca = ca
        retries = Retry(
            total=3,
            read=1,
            backoff_factor=0.3,
            status_forcelist=_REPEATED,
            allowed_methods=frozenset({"GET"}),
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=retries))

    def request(self, method: Any, url: Any, *args: Any, **more: Any) -> Any:
        self.requests += 1
        more.setdefault("timeout", self._timeout)
        if self._ca is not None:
            more["verify"] = self._ca  # of a session it gives way to REQUESTS_CA_BUNDLE
        if str(method).upper() != "GET":
            more["allow_redirects"] = False  # a redirected POST becomes a GET
        return super().request(method, url, *args, **more)


class Client:
    """One NetBox.

    Args:
        url: of its root, without `/api`.
        token: v1, or v2 (`nbt_…`).
        timeout_s: the first request to a cold server may take 15 s.
        ca: a file of certificates to trust.
    """

    def __init__(
        self, url: str, token: str, *, timeout_s: float = 60.0, ca: str | None = None
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/api")
        self._session = _Session(timeout_s, ca)
        self._api = pynetbox.api(self.url, token=token)
        self._api.http_session = self._session

    def close(self) -> None:
        self._session.close()

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._session.requests

    @cached_property
    def capabilities(self) -> Capabilities:
        """What this NetBox can do.

        Raises:
            RemoteError: it does not answer, or is none.
        """
        with self._translated("its version"):
            status = self._api.status()
        if not isinstance(status, dict) or "netbox-version" not in status:
            raise Unexpected(f"{self.url} is no NetBox", hint="is the URL that of its root?")
        return read_version(str(status["netbox-version"]))

    def _endpoint(self, type_: str) -> Any:
        app, _, name = type_.partition(".")
        endpoint = getattr(getattr(self._api, app), name.replace("-", "_"))
        endpoint.return_obj = lambda values, *_: values
        return endpoint

    def read(self, type_: str, fields: Sequence[str], **filters: Any) -> Page:
        """All objects of a type, with these fields; one that may not be read is not whole.

        Raises:
            RemoteError: NetBox does not answer, or not as it should.
        """
        found: dict[int, Record] = {}
        try:
            first, rows = self._page(type_, fields, 0, filters)
            remaining = first
            while rows:
                found |= {row["id"]: row for row in rows}
                if len(rows) >= remaining:
                    break
                remaining, rows = self._page(type_, fields, max(found), filters)
            if len(found) < first:
                first = self._page(type_, ("id",), 0, filters, size=1)[0]
        except Rejected as error:
            if "token" in error.message.casefold():
                raise
            return Page((), is_whole=False, why_not=error.message)
        if len(found) < first:
            why = f"{len(found)} of {first} objects were given out"
            return Page(tuple(found.values()), is_whole=False, why_not=why)
        return Page(tuple(found.values()), is_whole=True)

    def _page(
        self,
        type_: str,
        fields: Sequence[str],
        after: int,
        filters: Mapping[str, Any],
        size: int = _PAGE,
    ) -> tuple[int, list[Record]]:
        """How many objects there are behind a number, and the first of them."""
        with self._translated(type_):
            found = self._endpoint(type_).filter(
                limit=size,
                offset=0,
                ordering="id",
                id__gt=after,
                fields=",".join(dict.fromkeys(["id", *fields])),
                **filters,
            )
            rows = list(found)
            return int(found.request.count or 0), rows

    def read_these(
        self, type_: str, fields: Sequence[str], ids: Iterable[int]
    ) -> dict[int, Record]:
        """Objects by their numbers; those that are gone are missing."""
        wanted = sorted(set(ids))
        found: dict[int, Record] = {}
        for start in range(0, len(wanted), _IDS):
            part = wanted[start : start + _IDS]
            with self._translated(type_):
                rows = self._endpoint(type_).filter(
                    id=part, limit=_IDS, offset=0, fields=",".join(["id", *fields])
                )
                found |= {row["id"]: row for row in rows if row["id"] in part}
        return found

    def create(self, type_: str, bodies: Sequence[Record]) -> list[Record]:
        """Create objects, all or none.

        Raises:
            Refused: NetBox did not accept them; nothing was written.
            RemoteError: whether they were written is not known.
        """
        with self._writing(type_, [None] * len(bodies)):
            return list(self._endpoint(type_).create(list(bodies)))

    def update(self, type_: str, bodies: Sequence[Record]) -> list[Record]:
        """Change objects, all or none; each body has the `id`."""
        with self._writing(type_, [body["id"] for body in bodies]):
            return list(self._endpoint(type_).update(list(bodies)))

    def delete(self, type_: str, ids: Sequence[int]) -> None:
        """Delete objects, all or none."""
        with self._writing(type_, ids):
            self._endpoint(type_).delete(list(ids))

    @contextmanager
    def _writing(self, type_: str, ids: Sequence[int | None]) -> Iterator[None]:
        try:
            yield
        except pynetbox.RequestError as error:
            if error.req.status_code in _UNCERTAIN:
                raise self._from_response(type_, error.req) from error
            raise _refusal(error.req, ids) from error
        except pynetbox.AllocationError as error:
            raise _refusal(error.req, ids) from error
        except (pynetbox.ContentError, requests.RequestException) as error:
            raise self._from_transport(type_, error) from error

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except pynetbox.RequestError as error:
            raise self._from_response(what, error.req) from error
        except (pynetbox.ContentError, requests.RequestException) as error:
            raise self._from_transport(what, error) from error

    def _from_response(self, what: str, response: Any) -> RemoteError:
        said = _detail(response)
        if response.status_code in (401, 403):
            hint = "is the token right, and not expired?" if "oken" in said else None
            hint = hint or f"the token's user may not read or write {what}"
            return Rejected(f"NetBox {self.url} refuses {what}: {said}", hint=hint)
        if response.status_code in _UNCERTAIN:
            return Unexpected(f"NetBox {self.url} failed at {what}: {said}")
        return Rejected(f"NetBox {self.url} does not accept {what}: {said}")

    def _from_transport(self, what: str, error: Exception) -> RemoteError:
        if isinstance(error, requests.exceptions.SSLError):
            hint = 'name the certificates to trust: ca = "FILE" in this source\'s settings'
            return Unreachable(f"NetBox {self.url} is not trusted over TLS", hint=hint)
        if isinstance(error, requests.exceptions.Timeout) or _is_timeout(error):
            return TimedOut(f"NetBox {self.url} did not answer in time for {what}")
        if isinstance(error, pynetbox.ContentError | requests.exceptions.JSONDecodeError):
            return Unexpected(
                f"{self.url} does not answer as a NetBox does", hint="is the URL right?"
            )
        return Unreachable(f"NetBox {self.url} cannot be reached", hint="fleet doctor")


def _is_timeout(error: Exception) -> bool:
    """Whether all repetitions of a request ended in waiting."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, ReadTimeoutError)


def _detail(response: Any) -> str:
    """What NetBox says is wrong, in one line; HTML has nothing to say."""
    try:
        said = response.json()
    except ValueError:
        return f"status {response.status_code}, no JSON"
    if isinstance(said, dict):
        said = said.get("detail") or said.get("error") or said
    return f"{response.status_code}: {_flat(said)}"


def _flat(said: Any) -> str:
    match said:
        case dict():
            parts = [f"{k}: {_flat(v)}" if k != "__all__" else _flat(v) for k, v in said.items()]
            return "; ".join(parts)
        case list():
            return " ".join(_flat(item) for item in said if item)
        case _:
            return str(said)


def _refusal(response: Any, ids: Sequence[int | None]) -> Refused:
    """NetBox's ways of saying which rows are wrong: not at all, by place, by index or id (4.7)."""
    try:
        said = response.json()
    except ValueError:
        return Refused(_detail(response))
    if isinstance(said, list) and len(said) == len(ids):
        return Refused(_flat(said), {n: _flat(row) for n, row in enumerate(said) if row})
    rows: dict[int, str] = {}
    errors = said.get("errors") if isinstance(said, dict) else None
    for row in errors if isinstance(errors, list) else ():
        place = row.get("index")
        if place is None and row.get("id") in ids:
            place = ids.index(row["id"])
        if place is not None:
            rows[place] = _flat(row.get("errors") or row.get("detail") or row)
    return Refused(_detail(response), rows)
