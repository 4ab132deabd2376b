"""Who was erased, what is held of whom, and how it ends."""
