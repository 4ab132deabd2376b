"""How any request is let in, read and answered, whatever it asks."""
