"""Turns card usage into a published bundle; knows nothing of the service."""
