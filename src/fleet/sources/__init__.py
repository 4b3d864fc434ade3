"""Where inventory facts come from: each source is read into an Inventory of core types."""
