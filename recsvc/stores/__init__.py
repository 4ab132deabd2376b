"""Remembers: the only room that speaks to Redis."""
