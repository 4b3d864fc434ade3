"""Address plans: VRFs by member, prefixes of the addresses of ports, VLANs that switches have.

All of it is off unless the source's settings ask for it, and only ever adds: what people made of
their address plan in NetBox is theirs.
"""

import ipaddress
from collections.abc import Iterable, Mapping

from fleet.core.claims import Id
from fleet.core.record import Record
from fleet.sources.netbox.draft import Draft, Ref
from fleet.sources.netbox.types import PREFIXES, SITES, TENANTS, VLANS, VRFS

Vlans = Mapping[str, Iterable[tuple[int, str | None]]]
"""Per device, the numbers and names of its VLANs."""

_UNUSED = frozenset({1, 1002, 1003, 1004, 1005})  # that switches have from the factory


def vrf_of(draft: Draft, device: str) -> Ref | None:
    """The VRF of the member at whose site a device is; address plans of members overlap."""
    if not draft.has_vrfs:
        return None
    site = draft.records["site", draft.records["device", device]["site"]]
    member = draft.records["member", site["member"]]
    body = {"name": member["name"]}
    tenant = draft.ref(TENANTS, ("member", site["member"]))
    return draft.ensure(VRFS, body | {"tenant": tenant}, symbol=site["member"])


def draft_prefixes(draft: Draft) -> None:
    """The prefix of every port's address, at the site where the port is."""
    for (kind, key), record in draft.records.items():
        if kind != "interface" or record["retired"] or not record["address"]:
            continue
        network = ipaddress.ip_interface(record["address"]).network
        device = draft.records.get(("device", record["device"]))
        if device is None or network.prefixlen >= network.max_prefixlen - 1:
            continue
        site = _site(draft, device)
        if draft.ref_of(key) is None or site is None:
            continue
        vrf = vrf_of(draft, record["device"])
        body: Record = {"prefix": str(network), "vrf": vrf, "status": "active"}
        if draft.find(PREFIXES, body) is None:
            scope = {"scope_type": "dcim.site", "scope_id": site}
            where = scope if draft.state.capabilities.has_scopes else {"site": site}
            draft.ensure(PREFIXES, body | where, symbol=f"{network} {device['site']}")


def draft_vlans(draft: Draft, vlans: Vlans) -> None:
    """The VLANs that the switches of a site have, under the name that most of them use."""
    names: dict[tuple[str, int], list[str]] = {}
    for name, found in vlans.items():
        device = draft.records.get(("device", name))
        if device is None:
            continue
        for number, label in found:
            if number not in _UNUSED:
                names.setdefault((device["site"], number), []).append(label or f"VLAN {number}")
    for (slug, number), labels in sorted(names.items()):
        site = draft.ref(SITES, ("site", slug))
        if site is not None and draft.find(VLANS, {"vid": number, "site": site}) is None:
            label = max(sorted(set(labels)), key=labels.count)
            body = {"vid": number, "name": label, "site": site, "status": "active"}
            draft.ensure(VLANS, body, symbol=f"{number} {slug}")


def _site(draft: Draft, device: Record) -> Ref | None:
    id_: Id = ("site", device["site"])
    return draft.ref(SITES, id_)
