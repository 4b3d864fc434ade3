"""Example cooperations: files of an inventory, made from a description of their shape."""
