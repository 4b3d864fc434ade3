"""`make bench-deploy`: rollouts beside their peers, in CPU seconds of one interleaved run.

The machines are those of the lab (root; Debian: openssh-server snmpd lldpd iproute2 sudo nftables).
Controller and machines share this computer, so the controller's CPU is counted by itself: that of
the program and its children on the controller's side.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from fleet import shipped
from fleet.ansible.generate import Generator, Style
from fleet.ansible.render import Renderer
from fleet.ansible.secrets import Secrets
from fleet.core.inventory import Device, Inventory, Link, LinkKind, Member, Site, SiteKind
from fleet.core.rollout import Plan
from fleet.core.topology import Network
from fleet.core.waves import Caps, Wave
from fleet.flows.deploy import Planner, Wish
from fleet.settings import Deploy
from fleet.sources.baselines import choose, read_baselines
from tests.lab.network import Lab, plan_sites, require_lab
from tests.lab.rollouts import ENVIRONMENT, write_workspace
from tests.lab.rollouts import write_baseline as write_baseline_of_lab

MACHINES = int(os.environ.get("FLEET_BENCH_MACHINES", "50"))
ROUNDS = int(os.environ.get("FLEET_BENCH_ROUNDS", "1"))
FILES = 5
# pyinfra's program, in an environment of its own.
PYINFRA = os.environ.get("FLEET_BENCH_PYINFRA", "")


def spent() -> float:
    """CPU seconds of this process's children that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(
    lab: Lab, command: list[str], cwd: Path, statuses: tuple[int, ...] = (0,), **more: str
) -> tuple[float, float]:
    """Wall and controller CPU seconds of a program on the controller.

    Everybody logs in anew: without a folder of its own, Ansible's connections would be kept open
    from one measurement to the next, for those that have the same name for them.
    """
    with tempfile.TemporaryDirectory(prefix="cp", dir="/tmp") as sockets:
        settings = {
            "ANSIBLE_CONFIG": "ansible.cfg",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            **more,
        }
        before, start = spent(), time.monotonic()
        done = lab.run(command, cwd, {**ENVIRONMENT, **settings}, 900)
        wall = time.monotonic() - start
    assert done.returncode in statuses, done.stdout[-2000:] + done.stderr[-2000:]
    return wall, spent() - before


def write_role(lab: Lab, root: Path) -> None:
    """The idiomatic role: a task for every file, a handler for the service."""
    (root / "roles/bench/tasks").mkdir(parents=True)
    (root / "roles/bench/handlers").mkdir(parents=True)
    (root / "roles/bench/templates").mkdir(parents=True)
    tasks = [
        {
            "name": f"Write file {n}",
            "ansible.builtin.template": {
                "src": "file.j2",
                "dest": f"/etc/bench/{n}.conf",
                "owner": "root",
                "group": "root",
                "mode": "0644",
            },
            "notify": "Restart labd",
        }
        for n in range(FILES)
    ]
    folder = {
        "name": "Make the folder",
        "ansible.builtin.file": {"path": "/etc/bench", "state": "directory", "mode": "0755"},
    }
    handler = {"name": "Restart labd", "ansible.builtin.command": "service labd restart"}
    (root / "roles/bench/tasks/main.yml").write_text(json.dumps([folder, *tasks]))
    (root / "roles/bench/handlers/main.yml").write_text(json.dumps([handler]))
    (root / "roles/bench/templates/file.j2").write_text("value = {{ value }}\n")
    play = {"name": "Bench", "hosts": "all", "gather_facts": False, "roles": ["bench"]}
    (root / "play.yml").write_text(json.dumps([play]))
    hosts = {name: {"ansible_host": lab.addresses[name]} for name in machines(lab)}
    group = {"hosts": hosts, "vars": {"ansible_user": "root"}}
    (root / "hosts.yml").write_text(json.dumps({"all": group}))
    (root / "ssh_config").write_text(lab.ssh_config)
    (root / "ansible.cfg").write_text(
        "[defaults]\nforks = 20\ngathering = explicit\ninterpreter_python = /usr/bin/python3\n"
        "[ssh_connection]\npipelining = True\n"
        f"ssh_args = -o ControlMaster=auto -o ControlPersist=60s -F {root}/ssh_config\n"
    )


def write_pyinfra(lab: Lab, root: Path) -> None:
    """The same for pyinfra, as its documentation has it."""
    (root / "file.j2").write_text("value = {{ value }}\n")
    (root / "ssh_config").write_text(lab.ssh_config)
    hosts = [
        (lab.addresses[name], {"ssh_user": "root", "ssh_config_file": f"{root}/ssh_config"})
        for name in machines(lab)
    ]
    (root / "hosts.py").write_text(f"machines = {hosts!r}\n")
    (root / "deploy.py").write_text(
        "import os\n"
        "from pyinfra.operations import files, server\n"
        "from pyinfra.operations.util import any_changed\n"
        "value = os.environ['BENCH_VALUE']\n"
        "done = [files.directory(path='/etc/bench', mode='755')]\n"
        f"for n in range({FILES}):\n"
        "    done.append(files.template(name=f'Write file {n}', src='file.j2', user='root',\n"
        "        dest=f'/etc/bench/{n}.conf', group='root', mode='644', value=value))\n"
        "server.shell(commands='service labd restart', _if=any_changed(*done))\n"
    )


def machines(lab: Lab) -> list[str]:
    return [name for name in lab.machines if name.endswith("srv")]


def write_baseline(root: Path, value: int) -> None:
    folder = root / "templates/device/bench"
    folder.mkdir(parents=True, exist_ok=True)
    files = "".join(f'  - dest: /etc/bench/{n}.conf\n    mode: "0644"\n' for n in range(FILES))
    (folder / "linux.yaml").write_text(f"files:\n{files}restart: [labd]\n")
    (folder / "linux.conf.j2").write_text("value = {{ value }}\n")
    (root / "baselines").mkdir(exist_ok=True)
    (root / "baselines/bench.yaml").write_text(
        f"baseline: bench\ndescription: Five files\nvariables: {{value: {value}}}\n"
    )


def bench_machines() -> None:
    pairs = [("core1", "ctl"), *(("core1", f"s{n}-srv") for n in range(1, MACHINES + 1))]
    with Lab(pairs, hears=False) as lab, tempfile.TemporaryDirectory() as name:
        root = write_workspace(lab, Path(name) / "w", ())
        peer = Path(name) / "role"
        peer.mkdir()
        other = Path(name) / "pyinfra"
        other.mkdir()
        write_pyinfra(lab, other)
        write_role(lab, peer)
        role = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "hosts.yml",
            "play.yml",
        ]
        fleet = [sys.executable, "-m", "fleet", "deploy", "bench", "-q"]
        limits = [x for name in machines(lab) for x in ("--limit", name)]
        rounds: dict[str, list[tuple[float, float]]] = {}

        def add(what: str, result: tuple[float, float]) -> None:
            rounds.setdefault(what, []).append(result)

        for number in range(ROUNDS):
            write_baseline(root, number)
            add("plan", timed(lab, [*fleet, *limits, "--plan"], root))
            check = [*role, "--check", "--diff", "-e", f"value={number}"]
            add("check", timed(lab, check, peer, (0, 2)))
            add("rollout", timed(lab, [*fleet, *limits, "--at-once", "--yes"], root))
            add("role", timed(lab, [*role, "-e", f"value=r{number}"], peer))
            if PYINFRA:
                command = [PYINFRA, "-y", "hosts.py", "deploy.py"]
                add("pyinfra", timed(lab, command, other, BENCH_VALUE=f"p{number}"))
                for machine in machines(lab):
                    text = (lab.root(machine) / "etc/bench/4.conf").read_text()
                    assert text == f"value = p{number}\n", "pyinfra did not do it"
        best = {what: min(results) for what, results in rounds.items()}
        for what, (wall, cpu) in best.items():
            print(f"  {what:8} {wall:7.2f} s, controller {cpu:6.2f} s of CPU")
        if MACHINES < 50:
            print("what is wanted below is wanted of 50 machines")
        print(
            f"{MACHINES} machines, {FILES} files and a service: the whole rollout "
            f"{best['role'][0] / best['rollout'][0]:.1f} times faster than the role (wanted: 5), "
            f"{best['role'][1] / best['rollout'][1]:.1f} times less CPU (wanted: 3.5)"
        )
        if PYINFRA:
            ratio = best["rollout"][0] / best["pyinfra"][0]
            print(f"{ratio:.1f} times the time of pyinfra (wanted: at most 2.5)")
        cpu, wall = (best["check"][n] / best["plan"][n] for n in (1, 0))
        print(f"its plan {cpu:.1f} times cheaper in CPU, {wall:.1f} times faster (wanted: 20)")


def bench_cut() -> None:
    """How long after a wave's playbook it is noticed that it cut a site off."""
    with Lab(plan_sites(2), hears=False) as lab, tempfile.TemporaryDirectory() as name:
        root = write_workspace(lab, Path(name) / "w", ("forwarding",))
        overrides = "overrides: [{device: s1-dist, variables: {forward: 0}}]\n"
        write_baseline_of_lab(root, "forwarding", overrides)
        command = [sys.executable, "-m", "fleet", "deploy", "--limit", "s1-dist", "--yes"]
        started = lab.start(command, root, ENVIRONMENT)
        assert started.stdout
        noticed = next(time.time() for line in started.stdout if " dark: " in line)
        # What Ansible said last, before the look around.
        ended = max(p.stat().st_mtime for p in root.glob(".fleet/runs/*/wave-01-rollout.jsonl"))
        started.communicate()
        print(f"a site cut off: noticed {noticed - ended:.1f} s after the playbook (wanted: 3)")


def cooperation(count: int) -> Inventory:
    """A made-up network of schools on two cores."""
    sites = {"dc": Site(slug="dc", member="m0", name="dc", kind=SiteKind.DATA_CENTRE)}
    devices: dict[str, Device] = {}
    links: dict[str, Link] = {}

    platforms = {"router": "ios", "switch": "procurve"}
    member = Member(slug="smola", name="Smøla", number="1573", memberships=())

    def add(name: str, site: str, role: str, *near: str) -> None:
        platform = platforms.get(role, "linux")
        devices[name] = Device(
            name=name, site=site, role=role, platform=platform, address="127.0.0.1"
        )
        for other in near:
            link = Link(a=f"{name} : {other}", b=f"{other} : {name}", kind=LinkKind.FIBRE)
            links[link.key] = link

    add("core1", "dc", "router")
    add("core2", "dc", "router", "core1")
    number = 0
    while len(devices) < count:
        site, number = f"s{number}", number + 1
        slug = f"m{number % 13}"
        sites[site] = Site(slug=site, member=slug, name=site, kind=SiteKind.SCHOOL, users=number)
        add(f"{site}-r1", site, "router", "core1")
        add(f"{site}-r2", site, "router", "core2", f"{site}-r1")
        add(f"{site}-sw", site, "switch", f"{site}-r1")
        for place in range(7):
            add(f"{site}-ap{place}", site, "ap", f"{site}-sw")
    slugs = {site.member for site in sites.values()}
    members = {slug: replace(member, slug=slug, name=slug) for slug in sorted(slugs)}
    return Inventory(members=members | {"smola": member}, sites=sites, devices=devices, links=links)


def plan_of_all(inventory: Inventory, root: Path) -> tuple[Plan, float]:
    """The plan of the baselines that are taken without their names, and its CPU seconds."""
    names = Inventory(members=inventory.members)
    baselines = choose(read_baselines(shipped.baselines(), shipped.baselines(), names), [])
    secrets, templates = Secrets(root), [shipped.templates()]
    generator = Generator(templates, Deploy(), Style.BUNDLE, secrets.known)
    start = time.process_time()
    network = Network(inventory, "dc")
    planner = Planner(network, Renderer(templates), generator, secrets, None, owners=True)
    wish = Wish(baselines=baselines, devices=list(inventory.devices.values()), caps=Caps())
    made = planner.make(wish).plan
    return made, time.process_time() - start


def bench_plan() -> None:
    """The plan of 10,000 devices; how long Ansible takes to begin one of its waves."""
    inventory = cooperation(10_000)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        plans = [plan_of_all(inventory, root) for _ in range(2)]
        shuffled = list(inventory.devices.items())
        random.Random(7).shuffle(shuffled)
        plans.append(plan_of_all(replace(inventory, devices=dict(shuffled)), root))
        made, cpu = plans[0]
        same = all((p.digest, p.files) == (made.digest, made.files) for p, _ in plans)
        size = sum(len(text) for text in made.files.values())
        print(
            f"plan of {made.targets} devices: {len(made.baselines)} baselines, {len(made.waves)} "
            f"waves, {len(made.files)} files, {size / 1e6:.1f} MB in {cpu:.2f} s of CPU (wanted: "
            f"10); {'the same' if same else 'OTHER'} bytes again, and from shuffled input"
        )
        for path, text in made.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        wave = max(made.waves, key=lambda w: len(w.devices))
        bench_start(root / "playbooks", wave)


def bench_start(folder: Path, wave: Wave) -> None:
    """From nothing to the first task: of a wave of many, and of an empty playbook."""
    empty = folder / "empty.yml"
    empty.write_text("---\n- name: Nothing\n  hosts: all\n  gather_facts: false\n  tasks: []\n")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    paths = {
        "ANSIBLE_CONFIG": "ansible.cfg",
        "ANSIBLE_COLLECTIONS_PATH": str(shipped.collections()),
    }
    best: dict[str, float] = {}
    for _ in range(3):
        for what, arguments in {
            "empty": ["-i", "localhost,", empty.name],
            "wave": ["-i", f"inventory/wave-{wave.number:02d}.yml", "rollout.yml", "--list-tasks"],
        }.items():
            before = spent()
            command = [program, *arguments]
            done = subprocess.run(
                command, cwd=folder, env={**os.environ, **paths}, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
            best[what] = min(best.get(what, 99.0), spent() - before)
    print(
        f"start of a wave of {len(wave.devices)} of them: {best['wave']:.2f} s of CPU, "
        f"{best['wave'] / best['empty']:.2f} times an empty ansible-playbook (wanted: 1.5)"
    )


def main() -> None:
    require_lab()
    bench_plan()
    bench_cut()
    bench_machines()


if __name__ == "__main__":
    main()
