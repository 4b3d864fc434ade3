"""A NetBox that is none: its REST API over loopback, in memory, faults included.

It behaves as NetBox 4.0.6 and 4.7.3 were seen to, above all where that is not what one expects:
filters and fields that it does not know are ignored without a word, a bulk write is one
transaction, lists of tags are replaced, and by version it says little or much of what is wrong.
The contract tests run against it and against a real server alike.
"""

import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fleet.sources.netbox.fake_types import SPEC, blank, is_ignored, kinds, required
from fleet.sources.netbox.versions import read_version

TOKEN = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105 - it opens nothing
_PAGE, _LONGEST_PAGE = 50, 1000

_FILTERS = frozenset(
    {"id", "slug", "name", "cid", "device_id", "site_id", "interface_id", "address"}
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A request.

    Args:
        path: of the type, as in `dcim.devices`; `status` for the version.
        query: its parameters, each with all its values.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `text` is sent as it is, if there is any."""

    status: int
    body: Any = None
    text: str | None = None


class _Wrong(Exception):
    """Rows that cannot be written: by place, what is wrong with which field."""

    def __init__(self, rows: Mapping[int, Mapping[str, list[str]]]) -> None:
        super().__init__()
        self.rows = rows


@dataclass
class FakeNetBox:
    """A server on loopback, for as long as it is entered.

    Args:
        version: that it behaves as.
        fault: sees each request first, and may answer in its place.
        after: sees each request and its answer, and may answer otherwise.
        certificate: files of a certificate and its key, for TLS.
    """

    version: str = "4.7.3"
    fault: Callable[[Heard], Answer | None] = lambda _: None
    after: Callable[[Heard, Answer], Answer] = lambda _, answer: answer
    certificate: tuple[str, str] | None = None
    token: str = TOKEN
    objects: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {type_: {} for type_ in SPEC}
    )
    heard: list[Heard] = field(default_factory=list)
    _last: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> "FakeNetBox":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                parts = urlsplit(self.path)
                path, body = _one_of_many(parts.path, body)
                request = Heard(self.command, path, parse_qs(parts.query), body)
                answer = outer.respond(request, self.headers.get("Authorization", ""))
                text = answer.text if answer.text is not None else json.dumps(answer.body)
                octets = b"" if answer.status == 204 else text.encode()
                kind = "text/html" if answer.text is not None else "application/json"
                self.send_response(answer.status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that hangs up is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def respond(self, request: Heard, authorization: str) -> Answer:
        """The answer to a request, as NetBox would give it."""
        self.heard.append(request)
        if authorization.split()[-1:] != [self.token]:
            return Answer(403, {"detail": "Invalid token"})
        early = self.fault(request)
        if early is not None:
            return early
        with self._lock:
            answer = self._respond(request)
        return self.after(request, answer)

    def _respond(self, request: Heard) -> Answer:
        if request.path == "status":
            return Answer(200, {"netbox-version": self.version, "plugins": {}})
        if request.path not in SPEC:
            return Answer(404, {"detail": "Not found."})
        if request.method == "GET":
            return self._list(request)
        before = {
            type_: {n: dict(r) for n, r in rows.items()} for type_, rows in self.objects.items()
        }
        try:
            return self._write(request)
        except _Wrong as wrong:
            self.objects = before  # all or nothing
            return Answer(400, self._explain(wrong, len(request.body), request.method))

    def add(self, type_: str, **values: Any) -> int:
        """Put an object there, as somebody else would; its number."""
        with self._lock:
            return self._create(type_, [values])[0]

    def change(self, type_: str, number: int, **values: Any) -> None:
        """Change an object, as somebody else would."""
        with self._lock:
            self._update(type_, [{"id": number, **values}])

    def remove(self, type_: str, number: int) -> None:
        """Delete an object, as somebody else would."""
        with self._lock:
            self._remove(type_, number)

    def rows(self, type_: str) -> list[dict[str, Any]]:
        """All objects of a type, as they are kept."""
        return list(self.objects[type_].values())

    @property
    def _number(self) -> tuple[int, int]:
        return read_version(self.version).version

    def count(self, *methods: str) -> int:
        """How many requests with these methods were heard."""
        return sum(request.method in methods for request in self.heard)

    # Reading

    def _list(self, request: Heard) -> Answer:
        query = request.query
        rows = [
            r for r in self.objects[request.path].values() if self._fits(request.path, r, query)
        ]
        rows.sort(key=lambda row: row["id"])
        limit = min(int(query.get("limit", [_PAGE])[0]) or _LONGEST_PAGE, _LONGEST_PAGE)
        offset = int(query.get("offset", [0])[0])
        fields = query.get("fields", [""])[0]
        names = set(fields.split(",")) if fields else None
        page = [self._shown(request.path, row, names) for row in rows[offset : offset + limit]]
        more = offset + limit < len(rows)
        following = f"{self.url}/api/…" if more else None
        return Answer(
            200, {"count": len(rows), "next": following, "previous": None, "results": page}
        )

    def _fits(self, type_: str, row: Mapping[str, Any], query: Mapping[str, Sequence[str]]) -> bool:
        for name, values in query.items():
            if name == "id__gt" and row["id"] <= int(values[0]):
                return False
            if name.startswith("cf_") and row["custom_fields"].get(name[3:]) not in values:
                return False
            if name in _FILTERS and not self._has(type_, row, name, values):
                return False
        return True  # what it does not know, it ignores

    @staticmethod
    def _has(type_: str, row: Mapping[str, Any], name: str, values: Sequence[str]) -> bool:
        column = {"interface_id": "assigned_object_id"}.get(name, name)
        if column.endswith("_id") and column not in row:
            column = column.removesuffix("_id")
        if column not in row:
            return True
        return str(row[column]).casefold() in {value.casefold() for value in values}

    def _shown(self, type_: str, row: Mapping[str, Any], names: set[str] | None) -> dict[str, Any]:
        shown = {}
        for name, value in row.items():
            if names is None or name in names:
                shown[name] = self._nested(type_, name, value)
        return shown

    def _nested(self, type_: str, name: str, value: Any) -> Any:
        target, choice = kinds(type_).get(name, (None, None))
        if value is None or value == "":
            return value
        if target is not None:
            other = self.objects[target].get(value, {})
            label = str(other.get("name") or other.get("model") or value)
            return {"id": value, "url": f"{self.url}/api/…/{value}/", "display": label}
        if choice is not None or (
            name == "type" and type_ in ("dcim.cables", "extras.custom-fields")
        ):
            return {"value": value, "label": str(value).capitalize()}
        if name == "tags":
            return [
                {"id": n, "url": "…", "display": s, "name": s, "slug": s}
                for n, s in enumerate(value)
            ]
        return value

    # Writing

    def _write(self, request: Heard) -> Answer:
        rows = request.body if isinstance(request.body, list) else [request.body]
        if request.method == "POST":
            numbers = self._create(request.path, rows)
        elif request.method == "PATCH":
            numbers = self._update(request.path, rows)
        else:
            for row in rows:
                self._remove(request.path, row["id"])
            return Answer(204)
        shown = [self._shown(request.path, self.objects[request.path][n], None) for n in numbers]
        return Answer(201 if request.method == "POST" else 200, shown)

    def _create(self, type_: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        numbers, wrong = [], {}
        for place, row in enumerate(rows):
            missing = [n for n in required(type_) if row.get(n) in (None, "")]
            problems = {name: ["This field is required."] for name in missing}
            self._last += 1
            new = {"id": self._last, **blank(type_)}
            problems |= self._put(type_, new, row)
            if problems:
                wrong[place] = problems
            else:
                self.objects[type_][self._last] = new
            numbers.append(self._last)
        if wrong:
            raise _Wrong(wrong)
        return numbers

    def _update(self, type_: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        numbers, wrong = [], {}
        strict = self._number >= (4, 7)
        ids = [row["id"] for row in rows]
        if strict and len(set(ids)) < len(ids):
            raise _Wrong({0: {"id": ["listed more than once"]}})
        rows = list({row["id"]: row for row in rows}.values())  # else the last one wins
        for place, row in enumerate(rows):
            there = self.objects[type_].get(row["id"])
            if there is None:
                if strict:
                    wrong[place] = {"id": ["Object not found."]}
                continue
            if problems := self._put(type_, there, row):
                wrong[place] = problems
            numbers.append(row["id"])
        if wrong:
            raise _Wrong(wrong)
        return numbers

    def _put(
        self, type_: str, into: dict[str, Any], row: Mapping[str, Any]
    ) -> dict[str, list[str]]:
        """Write the fields that it knows; what is wrong with them."""
        problems: dict[str, list[str]] = {}
        for name, value in row.items():
            if name == "custom_fields":
                known = {r["name"] for r in self.rows("extras.custom-fields")}
                problems |= {f: ["Custom field does not exist."] for f in value if f not in known}
                into[name] = into[name] | value
            elif name == "tags":
                into[name] = [tag["slug"] if isinstance(tag, dict) else str(tag) for tag in value]
            elif name in into and name != "id" and not is_ignored(type_, name, self._number):
                target, _ = kinds(type_).get(name, (None, None))
                if target and value is not None and value not in self.objects[target]:
                    problems[name] = [f"Related object not found using the ID: {value}"]
                into[name] = value
        if type_ == "dcim.interfaces" and into.get("primary_mac_address"):
            mac = self.objects["dcim.mac-addresses"][into["primary_mac_address"]]
            into["mac_address"] = mac["mac_address"]
        into["last_updated"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return problems | self._doubled(type_, into)

    def _doubled(self, type_: str, row: Mapping[str, Any]) -> dict[str, list[str]]:
        for names in SPEC[type_][1]:
            mine = [_folded(row[name]) for name in names.split()]
            if mine[-1] in (None, ""):
                continue
            for other in self.objects[type_].values():
                if other["id"] != row["id"] and [_folded(other[n]) for n in names.split()] == mine:
                    return {names.split()[-1]: [f"{type_} with this {names} already exists."]}
        fleet_id = row["custom_fields"].get("fleet_id")
        if fleet_id and read_version(self.version).has_unique_custom_fields:
            for other in self.objects[type_].values():
                if other["id"] != row["id"] and other["custom_fields"].get("fleet_id") == fleet_id:
                    return {"custom_fields": ["Custom field 'fleet_id' must have a unique value."]}
        return {}

    def _remove(self, type_: str, number: int) -> None:
        self.objects[type_].pop(number, None)
        if type_ == "dcim.devices":
            ports = self.objects["dcim.interfaces"]
            for port in [n for n, row in ports.items() if row["device"] == number]:
                del ports[port]

    def _explain(self, wrong: _Wrong, number: int, method: str) -> Any:
        """What is wrong, as much as its version says."""
        if read_version(self.version).version >= (4, 7):
            errors = [{"index": place, "errors": row} for place, row in sorted(wrong.rows.items())]
            return {
                "detail": f"{len(errors)} of {number} objects failed ({method}).",
                "errors": errors,
            }
        return wrong.rows[min(wrong.rows)]


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _one_of_many(path: str, body: Any) -> tuple[str, Any]:
    """The type that a path names, and a body; one object's own address is as a list of one."""
    parts = path.removeprefix("/api/").strip("/").split("/")
    if parts[-1].isdigit():
        body = [{**(body or {}), "id": int(parts.pop())}]
    return ".".join(parts), body
