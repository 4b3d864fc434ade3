"""Real servers for time series on loopback, which may be away for a while."""

import json
import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

import pytest
import requests

ADDRESS = "127.0.0.1"
Labels = tuple[tuple[str, str], ...]
Found = dict[Labels, list[tuple[int, float]]]
"""Instants in milliseconds and values, by the labels of the series."""


class Server(ABC):
    """A server; what it was told outlives its being stopped.

    Args:
        folder: what it keeps.
    """

    programs: tuple[str, ...]
    package: str
    ready: str  # the path that answers 200 when it is up

    def __init__(self, folder: Path) -> None:
        found = [path for name in self.programs if (path := shutil.which(name))]
        if not found:
            if os.environ.get("FLEET_REQUIRE_TIMESERIES"):
                raise AssertionError(f"{self.package} is required (a package of Debian)")
            pytest.skip(f"no {self.programs[0]} on this machine (Debian: {self.package})")
        folder.mkdir(parents=True, exist_ok=True)
        with socket.create_server((ADDRESS, 0)) as probe:
            port = probe.getsockname()[1]
        self._listen = f"{ADDRESS}:{port}"
        self._program = found[0]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{self._listen}"

    @property
    @abstractmethod
    def arguments(self) -> list[str]: ...

    @property
    @abstractmethod
    def write_url(self) -> str:
        """Where it takes remote write."""

    @abstractmethod
    def series(self, match: str) -> Found:
        """What it has."""

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([self._program, *self.arguments], **quiet)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if requests.get(self.url + self.ready, timeout=1).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"{self._program} does not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


class Victoria(Server):
    programs = ("victoria-metrics", "victoria-metrics-prod")
    package = "victoria-metrics"
    ready = "/health"

    @property
    def arguments(self) -> list[str]:
        return [
            f"-httpListenAddr={self._listen}",
            f"-storageDataPath={self._folder}",
            "-retentionPeriod=24",
            "-dedup.minScrapeInterval=1ms",
            "-loggerLevel=ERROR",
            "-memory.allowedBytes=100MB",
        ]

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def series(self, match: str) -> Found:
        requests.get(f"{self.url}/internal/force_flush", timeout=10)
        asked = {"match[]": match, "reduce_mem_usage": "0"}
        answer = requests.get(f"{self.url}/api/v1/export", params=asked, timeout=20)
        answer.raise_for_status()
        found = {}
        for line in answer.text.splitlines():
            one = json.loads(line)
            points = zip(one["timestamps"], one["values"], strict=True)
            found[tuple(sorted(one["metric"].items()))] = sorted(points)
        return found


class Prometheus(Server):
    programs = ("prometheus",)
    package = "prometheus"
    ready = "/-/ready"
    window = "365d"
    """How late samples may come."""

    @property
    def arguments(self) -> list[str]:
        config = self._folder / "prometheus.yml"
        config.write_text(f"storage: {{tsdb: {{out_of_order_time_window: {self.window}}}}}\n")
        return [
            f"--config.file={config}",
            f"--storage.tsdb.path={self._folder}",
            f"--web.listen-address={self._listen}",
            "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=10y",
            "--log.level=error",
        ]

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def series(self, match: str) -> Found:
        asked = {"query": f"{match}[400d]"}
        answer = requests.get(f"{self.url}/api/v1/query", params=asked, timeout=20)
        answer.raise_for_status()
        return {
            tuple(sorted(one["metric"].items())): [
                (round(at * 1000), float(value)) for at, value in one["values"]
            ]
            for one in answer.json()["data"]["result"]
        }


class StrictPrometheus(Prometheus):
    """As it comes: what is older than the newest is refused."""

    window = "0s"
