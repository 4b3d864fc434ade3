"""What polling costs, beside pysnmp, gufo-snmp and net-snmp's programs: `make bench`.

The work: a GET of 5 scalars and 6 columns of 52 ports, 317 values, every one of them checked; and
a GET of sysUpTime alone. Each engine runs in a process of its own, one after the other in several
rounds; what counts is user and system CPU time, and the ratio within a run.
"""

import asyncio
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fleet.core.walk import Answer, Outcome, Table, Target, oid
from fleet.snmp.credentials import Access, Key
from fleet.snmp.engine import Question
from fleet.snmp.fast import FastEngine
from fleet.snmp.simulator import SimulatedNetwork, free_port
from tests.responder import TOOLS
from tests.snmpd import ADDRESS as SNMPD_ADDRESS
from tests.snmpd import AUTH_PHRASE, PRIV_PHRASE, Snmpd, user_of

SCALARS = tuple(f"1.3.6.1.2.1.1.{n}.0" for n in (1, 3, 4, 5, 6))
COLUMNS = tuple(
    f"1.3.6.1.2.1.{column}"
    for column in ("2.2.1.7", "2.2.1.8", "2.2.1.14", "2.2.1.20", "31.1.1.1.6", "31.1.1.1.10")
)
PORTS = 52
VALUES = len(SCALARS) + PORTS * len(COLUMNS)
UP_TIME = SCALARS[1]
ROUNDS = 3
SIMULATED = 60  # addresses, where fleet's own agent has to do
WANTED = {"pysnmp": 60.0, "net-snmp": 30.0, "gufo-snmp": 1.5}


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port, count = _agents(stack, folder)
        print(
            f"\n48 and 4 ports, {VALUES} values a device, community, CPU seconds per 1,000 devices"
        )
        poll = _compare("poll", {"fleet": min(600, count), "gufo-snmp": min(300, count)}, port)
        _print(poll, WANTED)
        print("\nuptime alone, one GET")
        _print(_compare("uptime", {"fleet": min(3000, count), "gufo-snmp": min(600, count)}, port))
        if count > SIMULATED:
            _print_dead(folder)
        if shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin"):
            with Snmpd(folder / "snmpd") as daemon:
                print("\nSNMPv3, SHA-1 and AES-128, GET of snmpd's uptime, after first contact")
                _print(
                    _compare("version3", {"fleet": 2000, "pysnmp": 100}, daemon.port),
                    {"pysnmp": 12.0},
                )


def _agents(stack: ExitStack, folder: Path) -> tuple[int, int]:
    """A port where agents answer, and how many there are."""
    port = free_port("127.46.0.1", 0)
    if (TOOLS / "responder.c").is_file() and shutil.which("gcc"):
        from tests.responder import responding

        stack.enter_context(responding(folder, port))
        return port, 60_000
    texts = {f"d{n}": (_address(n), _switch()) for n in range(SIMULATED)}
    stack.enter_context(SimulatedNetwork(texts, port))
    print("(fleet's own agent answers: no responder in C beside this checkout)")
    return port, SIMULATED


def _switch() -> str:
    lines = [f"{name}|4|x" for name in SCALARS if name != UP_TIME] + [f"{UP_TIME}|67|100"]
    for number, column in enumerate(COLUMNS):
        lines += [f"{column}.{n}|65|{n * 1000 + number}" for n in range(1, PORTS + 1)]
    return "\n".join(lines)


def _address(number: int) -> str:
    return f"127.46.{number // 250}.{number % 250 + 1}"


Measured = dict[str, list[float]]


def _compare(work: str, devices: dict[str, int], port: int) -> Measured:
    """CPU seconds per 1,000 devices of each engine, in interleaved rounds."""
    counts = {"pysnmp": 15, "net-snmp": 6, **devices}
    if work == "version3":
        counts = devices
    seconds: Measured = {}
    for _ in range(ROUNDS):
        for engine, count in counts.items():
            if (found := _measure(engine, work, count, port)) is not None:
                seconds.setdefault(engine, []).append(found)
    return seconds


def _measure(engine: str, work: str, count: int, port: int) -> float | None:
    """None: this engine is not installed here."""
    if engine == "net-snmp" and shutil.which("snmpbulkwalk") is None:
        return None
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench_snmp", engine, work, str(count), str(port)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["wrong"] == 0, f"{engine}: {found['wrong']} of {count} devices read wrongly"
    return 1000.0 * float(found["cpu_s"]) / count


def _print(seconds: Measured, wanted: dict[str, float] | None = None) -> None:
    own = statistics.median(seconds["fleet"])
    for engine, values in seconds.items():
        value = statistics.median(values)
        line = f"  {engine:<10} {value:8.3f} s"
        if engine != "fleet":
            line += f"   {value / own:7.1f} times fleet's"
        if engine in (wanted or {}):
            line += f" (wanted: {(wanted or {})[engine]:g})"
        print(line)


def _print_dead(folder: Path) -> None:
    """Healthy devices per second with none and with 10 % dead: wall time, for its ratio."""
    from tests.responder import responding

    rates = {}
    for share in (0, 100):
        port = free_port("127.46.0.1", 0)
        with responding(folder, port, "-f", f"dead={share}"):
            found = []
            for _ in range(ROUNDS):
                engine = FastEngine(_accesses(), timeout_s=1.0, retries=1)
                heard: list[Outcome] = []
                began = time.monotonic()
                ends: list[float] = []

                def hear(
                    outcome: Outcome, ends: list[float] = ends, heard: list[Outcome] = heard
                ) -> None:
                    heard.append(outcome)
                    if isinstance(outcome, Answer):
                        ends.append(time.monotonic())

                engine.ask([_question(n, port) for n in range(2000)], hear)
                healthy = sum(isinstance(o, Answer) for o in heard)
                found.append(healthy / (max(ends) - began))
        rates[share] = statistics.median(found)
    print("\nhealthy devices polled in a second, 2,000 in one call")
    print(f"  none dead  {rates[0]:8.0f}")
    print(f"  10 % dead  {rates[100]:8.0f}   {rates[100] / rates[0]:.2f} of that (wanted: 0.8)")


def _accesses() -> dict[str, Access]:
    return {"default": Access(version="2c", community="public")}


def _question(number: int, port: int, *, is_uptime: bool = False) -> Question:
    target = Target(name=str(number), address=_address(number), port=port)
    if is_uptime:
        return Question(target=target, scalars=(oid(UP_TIME),))
    table = Table(name="counters", columns=tuple(map(oid, COLUMNS)))
    return Question(target=target, scalars=tuple(map(oid, SCALARS)), tables=(table,))


# --- one engine in a process of its own


def run_fleet(work: str, count: int, port: int) -> int:
    if work == "version3":
        return _run_version_3(count, port)
    engine = FastEngine(_accesses(), timeout_s=2.0, retries=2)
    wanted = 1 if work == "uptime" else VALUES
    wrong = 0

    def hear(outcome: Outcome) -> None:
        nonlocal wrong
        if not isinstance(outcome, Answer):
            wrong += 1
            return
        walk = outcome.walk
        wrong += len(walk.scalars) + sum(map(len, walk.columns.values())) != wanted

    engine.ask([_question(n, port, is_uptime=work == "uptime") for n in range(count)], hear)
    return wrong


def _run_version_3(count: int, port: int) -> int:
    access = Access(
        version="3",
        user=user_of("SHA1", "AES128"),
        auth=Key(protocol="SHA1", phrase=AUTH_PHRASE),
        priv=Key(protocol="AES128", phrase=PRIV_PHRASE),
    )
    engine = FastEngine({"default": access}, timeout_s=2.0, retries=2)
    questions = [
        Question(
            target=Target(name=str(n), address=SNMPD_ADDRESS, port=port), scalars=(oid(UP_TIME),)
        )
        for n in range(count)
    ]
    heard: list[Outcome] = []
    engine.ask(questions[:1], heard.append)
    _begin()
    engine.ask(questions, heard.append)
    return sum(not isinstance(outcome, Answer) for outcome in heard)


def run_gufo(work: str, count: int, port: int) -> int:
    from gufo.snmp import SnmpVersion
    from gufo.snmp.aio import SnmpSession

    async def poll(address: str) -> int:
        async with SnmpSession(
            addr=address, port=port, community="public", version=SnmpVersion.v2c, timeout=2.0
        ) as session:
            if work == "uptime":
                return int(await session.get(UP_TIME) is None)
            values = len(await session.get_many(list(SCALARS)))
            for column in COLUMNS:
                async for _ in session.getbulk(column, max_repetitions=25):
                    values += 1
            return int(values != VALUES)

    async def all_of_them() -> int:
        window = asyncio.Semaphore(50)

        async def one(number: int) -> int:
            async with window:
                return await poll(_address(number))

        return sum(await asyncio.gather(*(one(n) for n in range(count))))

    return asyncio.run(all_of_them())


def run_pysnmp(work: str, count: int, port: int) -> int:
    from pysnmp.hlapi.v3arch import asyncio as hlapi

    engine = hlapi.SnmpEngine()
    objects = [hlapi.ObjectType(hlapi.ObjectIdentity(name)) for name in SCALARS]
    if work == "version3":
        user: Any = hlapi.UsmUserData(
            user_of("SHA1", "AES128"),
            authKey=AUTH_PHRASE,
            privKey=PRIV_PHRASE,
            authProtocol=hlapi.USM_AUTH_HMAC96_SHA,
            privProtocol=hlapi.USM_PRIV_CFB128_AES,
        )
    else:
        user = hlapi.CommunityData("public")

    async def poll(transport: Any) -> int:
        who = engine, user, transport, hlapi.ContextData()
        if work != "poll":
            error, _, _, found = await hlapi.get_cmd(*who, objects[1], lookupMib=False)
            return int(error is not None or len(found) != 1)
        _, _, _, found = await hlapi.get_cmd(*who, *objects, lookupMib=False)
        values = len(found)
        for column in COLUMNS:
            start = hlapi.ObjectType(hlapi.ObjectIdentity(column))
            walk = hlapi.bulk_walk_cmd(*who, 0, 25, start, lookupMib=False, lexicographicMode=False)
            async for _error, _status, _index, rows in walk:
                values += len(rows)
        return int(values != VALUES)

    async def run() -> int:
        wrong = 0
        host = SNMPD_ADDRESS if work == "version3" else _address(0)
        transport = await hlapi.UdpTransportTarget.create((host, port), timeout=2, retries=2)
        await poll(transport)  # warm: the target is known to the engine
        _begin()
        for _ in range(count):
            wrong += await poll(transport)
        engine.close_dispatcher()
        return wrong

    return asyncio.run(run())


def run_net_snmp(work: str, count: int, port: int) -> int:
    wrong = 0
    for number in range(count):
        where = ["-v2c", "-cpublic", "-On", "-Oq", "-m", "", f"{_address(number)}:{port}"]
        names = [UP_TIME] if work == "uptime" else list(SCALARS)
        lines = _lines(["snmpget", *where, *names])
        for column in COLUMNS if work == "poll" else ():
            lines += _lines(["snmpbulkwalk", "-Cr25", *where, column])
        wrong += lines != (VALUES if work == "poll" else 1)
    return wrong


def _lines(arguments: list[str]) -> int:
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return sum(line.startswith(".1.3.6") for line in done.stdout.splitlines())


_spent_before = 0.0


def _spent() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _begin() -> None:
    """What was spent until now does not count."""
    global _spent_before  # noqa: PLW0603
    _spent_before = _spent()


ENGINES: dict[str, Callable[[str, int, int], int]] = {
    "fleet": run_fleet,
    "gufo-snmp": run_gufo,
    "pysnmp": run_pysnmp,
    "net-snmp": run_net_snmp,
}

if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        name, kind, number, at = sys.argv[1:]
        run = ENGINES[name]
        _begin()
        mistakes = run(kind, int(number), int(at))
        print(json.dumps({"wrong": mistakes, "cpu_s": _spent() - _spent_before}))
