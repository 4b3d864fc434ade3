"""Where what is measured is kept: in a file of fleet's own, and in the servers of others."""
