"""Background processes of the service."""
