"""One connection to one store: short waits, one round trip, a breaker, scripts."""
