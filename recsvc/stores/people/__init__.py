"""Cardholders: profile, consent, and what decisions must know of them at once."""
