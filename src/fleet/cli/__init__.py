"""The command line: parse, call one flow, show, set the exit status."""
