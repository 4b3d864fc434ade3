"""The door to SNMP: asks devices, and gives back raw walks or silences; asyncio stays inside."""
