"""`python -m fleet`, and the entry point of the command `fleet`."""


def main() -> None:
    """Run the command line."""
    from fleet.cli.main import app

    app(prog_name="fleet")


if __name__ == "__main__":
    main()
