"""What the codes on labels say: an id, and no secret."""

DEVICE, SITE, ROOM = "fleet:d:", "fleet:s:", "fleet:r:"


def read_code(text: str) -> tuple[str, str, str | None] | None:
    """What a code names: the kind, the name, and of a room its site; None: it is no such code."""
    text = text.strip()
    if text.startswith(DEVICE):
        return "device", text.removeprefix(DEVICE), None
    if text.startswith(SITE):
        return "site", text.removeprefix(SITE), None
    if text.startswith(ROOM):
        site, _, room = text.removeprefix(ROOM).partition(":")
        return "room", room, site
    return None
