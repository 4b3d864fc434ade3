"""Run inside NetBox: everything that a test made goes."""

from circuits.models import Circuit, CircuitTermination, CircuitType, Provider
from dcim.models import (
    Cable,
    Device,
    DeviceRole,
    DeviceType,
    Interface,
    Location,
    MACAddress,
    Manufacturer,
    Platform,
    Rack,
    Site,
)
from extras.models import CustomField, Tag
from ipam.models import VLAN, VRF, IPAddress, Prefix
from tenancy.models import Contact, ContactAssignment, ContactRole, Tenant

Device.objects.update(primary_ip4=None, primary_ip6=None)
Interface.objects.update(primary_mac_address=None)
for model in (Cable, CircuitTermination, Circuit, Provider, CircuitType, Prefix, VLAN):
    model.objects.all().delete()
for model in (IPAddress, MACAddress, Interface, Device):
    model.objects.all()._raw_delete("default") if model is not Device else None
for model in (Device, Rack, Location, ContactAssignment, Contact, ContactRole, VRF, Site):
    model.objects.all().delete()
for model in (DeviceType, Manufacturer, DeviceRole, Platform, Tenant, CustomField, Tag):
    model.objects.all().delete()
