"""What things are and what follows from them: no network, files, clock, randomness or logging."""
