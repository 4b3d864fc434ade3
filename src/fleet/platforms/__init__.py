"""What is known of platforms and makers: data files, and reading them.

To teach fleet a platform, add one entry to the file that fits (`network.toml`, `servers.toml`,
`power.toml`, `printers.toml`, `things.toml`) and one recording to `tests/recorded`.
"""

from fleet.platforms.load import ENTERPRISES, load_platforms

__all__ = ["ENTERPRISES", "load_platforms"]
