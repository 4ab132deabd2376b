"""The worker that gunicorn runs: its connections, how many may wait, who is answered where."""
