"""How good is a ranking: split by time, the full catalogue, no sampled negatives."""
