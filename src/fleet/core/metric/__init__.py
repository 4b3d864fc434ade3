"""What devices measure: traffic, storage, processors, supplies, power, temperatures."""
