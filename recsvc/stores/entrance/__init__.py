"""Who comes in, what was done once, and what was done at all."""
