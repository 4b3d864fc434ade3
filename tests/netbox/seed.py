"""Run inside NetBox: 2,000 devices with 8 ports each, made past the API."""

from circuits.models import Circuit
from dcim.models import Cable, Device, DeviceRole, DeviceType, Interface, Manufacturer, Site
from extras.models import Tag
from ipam.models import IPAddress
from tenancy.models import Tenant

DEVICES, PORTS, SITES = 2000, 8, 40

assert not Circuit.objects.exists() and not Cable.objects.exists()
tenant = Tenant.objects.create(name="Aure", slug="aure")
Site.objects.bulk_create(
    [Site(name=f"Sted {n}", slug=f"sted-{n}", tenant=tenant, status="active") for n in range(SITES)]
)
sites = list(Site.objects.order_by("id"))
maker = Manufacturer.objects.create(name="Cisco", slug="cisco")
kind = DeviceType.objects.create(manufacturer=maker, model="C9200L-48P", slug="c9200l-48p")
role = DeviceRole(name="Switch", slug="switch")
role.save()
Device.objects.bulk_create(
    [
        Device(
            name=f"sw-{n:04d}",
            site=sites[n % SITES],
            role=role,
            device_type=kind,
            tenant=tenant,
            serial=f"FCW{n:08d}",
            status="active",
            comments="skrevet av folk",
            local_context_data={"eier": "folk"},
        )
        for n in range(DEVICES)
    ]
)
devices = list(Device.objects.order_by("id"))
Interface.objects.bulk_create(
    [
        Interface(
            device=device, name=f"Gi1/0/{port}", type="1000base-t", description=f"port {port}"
        )
        for device in devices
        for port in range(1, PORTS + 1)
    ]
)
first = {i.device_id: i for i in Interface.objects.filter(name="Gi1/0/1")}
IPAddress.objects.bulk_create(
    [
        IPAddress(
            address=f"10.{n // 250}.{n % 250}.1/24",
            assigned_object=first[device.id],
            status="active",
        )
        for n, device in enumerate(devices)
    ]
)
addresses = {a.assigned_object_id: a for a in IPAddress.objects.all()}
for device in devices:
    device.primary_ip4 = addresses[first[device.id].id]
Device.objects.bulk_update(devices, ["primary_ip4"], batch_size=500)
tag = Tag.objects.create(name="Viktig", slug="viktig")
for device in devices[:100]:
    device.tags.add(tag)
