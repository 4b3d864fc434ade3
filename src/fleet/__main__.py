"""`python -m fleet`, and the entry point of the command `fleet`."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from fleet.cli.completing import is_asked, prepare
        from fleet.cli.main import app

        if is_asked():
            prepare()
        app(prog_name="fleet")
    except KeyboardInterrupt:  # while modules are loaded; later the boundary says so
        sys.exit(130)


if __name__ == "__main__":
    main()
