"""The service: speaks HTTP, decides, remembers; carries no trainer."""
