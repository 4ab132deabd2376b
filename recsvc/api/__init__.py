"""Speaks HTTP: one file a resource, schemas, problems, authentication."""
