"""Names of ports over their spellings: `Gi1/0/48` and `GigabitEthernet1/0/48` are one."""

import re

# Families of names, each with what makers and people write for it, in lower case.
_FAMILIES = {
    "fa": ("fastethernet", "fa", "fas", "fasteth", "fe"),
    "gi": ("gigabitethernet", "gigabit", "gigabiteth", "gigaethernet", "gig", "gi", "ge", "gige"),
    "tw": ("twogigabitethernet", "tw", "two"),
    "fi": ("fivegigabitethernet", "fi", "five"),
    "te": (
        *("tengigabitethernet", "ten-gigabitethernet", "tengige", "tengigabit", "tengig"),
        *("ten", "te", "xge", "xe", "xgigabitethernet", "xgigaethernet"),
    ),
    "twe": ("twentyfivegige", "twentyfivegigabitethernet", "twe", "25ge"),
    "fo": ("fortygigabitethernet", "fortygige", "fo", "40ge"),
    "hu": ("hundredgige", "hundredgigabitethernet", "hundredgig", "hu", "100ge", "ce"),
    "et": ("ethernet", "eth", "et", "port", "ethernetport", ""),
    "po": ("port-channel", "portchannel", "po", "bridge-aggregation", "bagg", "trk", "lag"),
    "vl": ("vlan", "vl", "vlan-interface", "vlanif"),
    "lo": ("loopback", "lo"),
    "ma": ("management", "mgmt", "mgmteth", "ma", "oob"),
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names}
_FORM = re.compile(r"(?P<letters>(?:25|40|100)?[a-z][a-z -]*?|)[ -]*(?P<numbers>\d[\d/.:]*)")


def port_key(name: str) -> str:
    """The same text for all spellings of a port's name on one device."""
    plain = name.strip().casefold()
    form = _FORM.fullmatch(plain)
    if form is None:
        return plain
    letters = form["letters"].strip(" -")
    return f"{_FAMILY.get(letters, letters)}{form['numbers']}"


def is_same_port(one: str, other: str) -> bool:
    """Whether two names mean the same port of a device."""
    return port_key(one) == port_key(other)
