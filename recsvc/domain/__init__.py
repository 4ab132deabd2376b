"""Decides: pure rules over frozen values; no web, no database, no clock of its own."""
