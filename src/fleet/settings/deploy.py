"""How common configuration is rolled out, and who has to agree."""

from typing import Annotated

from pydantic import Field

from fleet.core.approval import Rule
from fleet.settings.section import SecretRef, Section

Count = Annotated[int, Field(gt=0)]


class Deploy(Section):
    """How devices are reached, how many at once, and what must hold before it goes on.

    `settle_s`: after a wave, before the network is looked at again. `confirm_s`: a machine takes
    a change back by itself unless it is confirmed by then; 0: never. `lease_s`: how long nobody
    else may touch a device after its run was heard of last. `key`: hides what was read of devices
    from who has only the workspace.
    """

    user: str = "fleet"
    ssh_port: Annotated[int, Field(gt=0, lt=65536)] = 22
    ssh_config: str | None = None  # an OpenSSH configuration, below the workspace
    become: bool = True
    forks: Annotated[int, Field(gt=0, le=200)] = 50
    timeout_s: Count = 10
    root: str = ""  # a folder on the machines that is taken for /, to try things out
    network_user: str | None = None  # on network devices; `user` if absent
    network_port: Annotated[int, Field(gt=0, lt=65536)] = 22
    password: SecretRef | None = None  # of network devices; SSH keys if absent
    enable: SecretRef | None = None
    key: SecretRef | None = None
    max_per_wave: Count = 100
    max_per_member: Count = 50
    max_per_site: Count = 10
    settle_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    confirm_s: Annotated[int, Field(ge=0, le=3600)] = 300
    lease_s: Annotated[int, Field(ge=10, le=86400)] = 300


class ClassRule(Section):
    """What a change of a class needs."""

    own: bool = False  # the yes of every member whose devices it touches; others are left out
    quorum: Annotated[float, Field(ge=0, le=1)] = 0.0  # the share of those members that said yes
    four_eyes: bool = False  # who made the plan does not answer for a member

    def value(self) -> Rule:
        return Rule(own=self.own, quorum=self.quorum, four_eyes=self.four_eyes)


class Approval(Section):
    """Who has to agree, by class of change; without this section the operator's yes is enough.

    `approvers`: per member the users of the operating system who may answer for it; anybody if
    absent. `allowed_signers`: a file as ssh-keygen(1) has it, with members as principals, below
    the workspace; signed answers are checked against it.
    """

    low: ClassRule = ClassRule()
    normal: ClassRule = ClassRule()
    high: ClassRule = ClassRule()
    approvers: dict[str, list[str]] = {}
    allowed_signers: str | None = None
