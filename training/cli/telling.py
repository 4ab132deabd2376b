"""Where a command tells how far it is: standard error, so that ``--json`` stays alone."""

import sys
from contextlib import AbstractContextManager, nullcontext

from training.stages import PlainTeller, RichTeller, Teller


def teller() -> AbstractContextManager[Teller]:
    """A bar on a terminal, plain lines elsewhere."""
    return RichTeller(sys.stderr) if sys.stderr.isatty() else nullcontext(PlainTeller(sys.stderr))
