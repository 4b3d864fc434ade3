"""What is known of platforms and makers: data files, and reading them.

To teach fleet a platform, add one entry to the file that fits (`network`, `wireless`, `servers`,
`power`, `printers` or `things.toml`) and one recording to `tests/recorded`. How Ansible calls a
platform, where it can drive it, stands in `fleet.ansible.platforms`.
"""

from fleet.platforms.load import ENTERPRISES, load_measured, load_platforms

__all__ = ["ENTERPRISES", "load_measured", "load_platforms"]
