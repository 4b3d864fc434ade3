"""What the codes on labels say: an id, and no secret."""

DEVICE, SITE, ROOM = "fleet:d:", "fleet:s:", "fleet:r:"


def read_code(text: str) -> tuple[str, str, str | None] | None:
    """What a code names: the kind, the name, and of a room its site; None: it is no such code."""
    text = text.strip()
    kind, rest = text[: len(DEVICE)].casefold(), text[len(DEVICE) :]  # scanners may shout
    if kind == DEVICE:
        return "device", rest, None
    if kind == SITE:
        return "site", rest.casefold(), None
    if kind == ROOM:
        site, _, room = rest.partition(":")
        return "room", room, site.casefold()
    return None
