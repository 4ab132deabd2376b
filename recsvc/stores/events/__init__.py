"""What happened: taken in, counted in the ledger, served, archived, read in bulk."""
