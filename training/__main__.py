"""``python -m training`` is ``recsvc-train``."""

from training.cli import main

if __name__ == "__main__":
    main()
