"""What is missing in a configuration, and the way back, in the languages of the platforms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.configuration import Language, commands, diff, missing, parse, reverse
from fleet.errors import Malformed
from tests.simulated_cli import Switch

NO, UNDO, SET = Language.NO, Language.UNDO, Language.SET
FORTIOS, ROUTEROS = Language.FORTIOS, Language.ROUTEROS

IOS = """\
hostname sw1
!
interface GigabitEthernet0/1
 description uplink
 switchport mode trunk
!
ntp server 10.0.0.1
ntp server 10.0.0.2
banner login ^C
Old words
^C
line vty 0 4
 transport input ssh
end
"""


def typed(wanted: str, config: str, language: Language) -> list[str]:
    return commands(missing(wanted, config, language), language)


@pytest.mark.parametrize(
    ("wanted", "config", "language", "expected"),
    [
        ("ntp server 10.0.0.1\n", IOS, NO, []),
        ("ntp server 10.0.0.9\n", IOS, NO, ["ntp server 10.0.0.9"]),
        (
            "interface GigabitEthernet0/1\n description new\n switchport mode trunk\n",
            IOS,
            NO,
            ["interface GigabitEthernet0/1", "description new", "exit"],
        ),
        ("no ntp server\nntp server 10.0.0.1\n", IOS, NO, ["no ntp server 10.0.0.2"]),
        ("no snmp-server community public\n", IOS, NO, []),
        ("no ip http server\n", IOS, NO, ["no ip http server"]),
        ("no ip http server\n", IOS + "no ip http server\n", NO, []),
        ("banner login ^C\nOld words\n^C\n", IOS, NO, []),
        ("banner login ^C\nreload~\n^C\n", IOS, NO, ["banner login |", "reload~", "|"]),
        ("undo telnet server\n", "telnet server\n", UNDO, ["undo telnet server"]),
        (
            "delete system ntp\nset system ntp server 9.9.9.9\n",
            "set system ntp server 9.9.9.9\nset system ntp server 1.1.1.1\n",
            SET,
            ["delete system ntp server 1.1.1.1"],
        ),
        ('set system host-name "vy"\n', "set system host-name 'vy'\n", SET, []),
        (
            "config system ntp\n set type custom\n config ntpserver\n  edit 1\n   set server a\n"
            "  next\n end\nend\n",
            "config system ntp\n set type fortiguard\n config ntpserver\n  edit 1\n"
            '   set server "a"\n'
            "  next\n end\nend\n",
            FORTIOS,
            ["config system ntp", "set type custom", "end"],
        ),
        (
            "/system ntp client\nset enabled=yes servers=10.0.0.1\n",
            "/system ntp client\nset enabled=yes servers=10.0.0.2\n",
            ROUTEROS,
            ["/system ntp client set enabled=yes servers=10.0.0.1"],
        ),
        (
            "/ip dns static add name=a address=10.0.0.1\n",
            "/ip dns static\nadd address=\\\n    10.0.0.1 name=a\n",
            ROUTEROS,
            [],
        ),
    ],
)
def test_only_what_is_missing_is_typed(
    wanted: str, config: str, language: Language, expected: list[str]
) -> None:
    assert typed(wanted, config, language) == expected


@pytest.mark.parametrize(
    ("before", "after", "language", "expected"),
    [
        (
            "set system ntp server 1.1.1.1\n",
            "set system ntp server 2.2.2.2\n",
            SET,
            ["delete system ntp server 2.2.2.2", "set system ntp server 1.1.1.1"],
        ),
        (
            IOS,
            IOS + "ip access-list standard A\n permit 10.0.0.1\n",
            NO,
            ["no ip access-list standard A"],
        ),
        (
            "config system admin\nend\n",
            "config system admin\n edit x\n  set vdom root\n next\nend\n",
            FORTIOS,
            ["config system admin", "delete x", "end"],
        ),
        (
            "/ip dns\nset servers=1.1.1.1\n",
            "/ip dns\nset servers=2.2.2.2\n/ip route\nadd gateway=10.0.0.1\n",
            ROUTEROS,
            ["/ip route remove [find gateway=10.0.0.1]", "/ip dns set servers=1.1.1.1"],
        ),
    ],
)
def test_the_way_back(before: str, after: str, language: Language, expected: list[str]) -> None:
    assert commands(reverse(before, after, language), language) == expected


def test_banners_are_text_whatever_stands_in_them() -> None:
    eos = "banner motd\nwrite erase now\nEOF\nhostname sw\n"
    assert parse(eos, NO) == [("banner motd\nwrite erase now\nEOF",), ("hostname sw",)]
    comware = "header motd %\nreboot\n%\nsysname sw\n"
    assert parse(comware, UNDO)[1:] == [("sysname sw",)]


def test_a_difference_is_shown_below_its_block() -> None:
    lines = missing(
        "interface GigabitEthernet0/1\n description new\nno ntp server 10.0.0.1\n", IOS, NO
    )
    assert diff(lines, NO) == (
        "  interface GigabitEthernet0/1\n+  description new\n- ntp server 10.0.0.1\n"
    )


_TOPS = ["ntp server 1", "ntp server 2", "hostname a", "hostname b", "logging host 9", "ip ssh"]
_BLOCKS = ["interface Gi1", "interface Gi2", "vlan 10", "ip access-list standard A"]
_INNER = ["description x", "description y", "shutdown", "permit 10.0.0.1", "switchport mode access"]
_LINES = st.lists(
    st.one_of(
        st.sampled_from(_TOPS).map(lambda line: (line,)),
        st.tuples(st.sampled_from(_BLOCKS), st.sampled_from(_INNER)),
    ),
    max_size=12,
)


def switch_of(paths: list[tuple[str, ...]]) -> Switch:
    switch = Switch()
    for path in paths:
        enter(switch, [*path, *(["exit"] if len(path) > 1 else [])])
    return switch


def enter(switch: Switch, lines: list[str]) -> None:
    block: tuple[str, ...] = ()
    for line in lines:
        block = switch.configure(block, line) or ()


@given(_LINES, _LINES)
def test_after_the_missing_lines_nothing_is_missing_and_back_it_is_as_before(
    before: list[tuple[str, ...]], wanted: list[tuple[str, ...]]
) -> None:
    switch = switch_of(before)
    first = switch.text()
    asked = switch_of(wanted).text()  # one value for each single line, as a baseline has it

    enter(switch, typed(asked, first, NO))

    after = switch.text()
    assert missing(asked, after, NO) == []
    enter(switch, commands(reverse(first, after, NO), NO))
    assert set(parse(switch.text(), NO)) == set(parse(first, NO))


@pytest.mark.parametrize(
    ("wanted", "config", "language"),
    [
        (
            "ip access-list standard A\n permit host 10.1.1.20\n",
            "ip access-list standard A\n   10 permit host 10.1.1.20\n",
            NO,
        ),
        ("vlan 10\n name ansatt\n", 'vlan 10\n   name "ansatt"\n', NO),
        (
            "ip name-server 1.1.1.1\nip name-server 2.2.2.2\n",
            "ip name-server 1.1.1.1 2.2.2.2\n",
            NO,
        ),
        ('set snmp location "Aure rådhus"\n', "set snmp location 'Aure rådhus'\n", SET),
        (
            "/radius add address=1.1.1.1 secret=x service=login\n",
            "/radius\nadd address=1.1.1.1 service=login\n",
            ROUTEROS,
        ),
        ('banner motd "One\\nTwo"\n', 'banner motd "One\\nTwo"\n', NO),
        ("banner login\nGEOFENCE here\nEOF\n", "banner login\nGEOFENCE here\nEOF\n", NO),
    ],
)
def test_what_a_device_shows_in_its_own_way_is_there(
    wanted: str, config: str, language: Language
) -> None:
    assert missing(wanted, config, language) == []


def test_what_holds_anyhow_is_wanted_only_where_it_was_taken_back() -> None:
    implied = frozenset({"lldp run"})

    assert missing("lldp run\n", "hostname x\n", NO, None, implied) == []
    assert missing("lldp run\n", "no lldp run\n", NO, None, implied) == [("lldp run",)]
    assert missing("lldp run\n", "hostname x\n", NO) == [("lldp run",)]


def test_a_key_that_is_shown_as_ciphertext_is_there() -> None:
    line: tuple[str, ...] = ("radius-server host 1.1.1.1 key plaintext x",)
    shown = "radius-server host 1.1.1.1 key ciphertext AQBape\n"
    hidden = {line: "radius-server host 1.1.1.1 key plaintext "}

    assert missing(line[0] + "\n", shown, NO, hidden) == []


def test_a_banner_that_nothing_can_end_is_refused() -> None:
    with pytest.raises(Malformed, match="every character"):
        commands(missing("banner login ^C\n~|%@`\n^C\n", "", NO), NO)
