"""Keeps one worker current: its keys, catalogues and bundles."""
