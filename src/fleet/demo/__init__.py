"""The tour: the example cooperation's network simulated on loopback, and fleet used on it."""
