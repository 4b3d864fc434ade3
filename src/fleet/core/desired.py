"""What a device is to have by a baseline: whole files, or lines of its configuration."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.record import to_record
from fleet.core.secrets import has_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that a baseline owns wholly.

    Args:
        content: with marks in the place of secrets; None: no file is to be there.
        mode: octal.
        validate: a command that accepts the file `%s`.
    """

    path: str
    content: str | None
    owner: str = "root"
    group: str = "root"
    mode: str = "0644"
    validate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What one baseline wants of one device.

    Args:
        family: how the device is driven: `linux`, `ios` …
        label: names the overrides that made it: `common`, `member-smola`.
        files: of a Linux machine.
        text: configuration of a network device, with marks in the place of secrets.
        run: commands after a change.
        restart: services to restart after a change.
    """

    device: str
    baseline: str
    family: str
    label: str
    files: tuple[File, ...] = ()
    text: str = ""
    run: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    def texts(self) -> Iterator[str]:
        """Everything in it that could hold a secret."""
        yield self.text
        for file in self.files:
            yield file.content or ""

    @property
    def has_secret(self) -> bool:
        return any(has_mark(text) for text in self.texts())

    def content(self) -> tuple[object, ...]:
        """What two devices have in common if they get the same."""
        return self.files, self.text, self.run, self.restart

    def digest(self) -> str:
        """SHA-256 of what is wanted; of secrets only the names are in it."""
        data = json.dumps(
            [[to_record(f) for f in self.files], self.text, list(self.run), list(self.restart)],
            ensure_ascii=False,
            sort_keys=True,
        )
        return hashlib.sha256(data.encode()).hexdigest()
