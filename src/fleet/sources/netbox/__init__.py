"""NetBox: what it has becomes claims, and what it is to have becomes operations."""
