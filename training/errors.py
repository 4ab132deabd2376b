"""What can go wrong in training, each with a message that names the fault and the next step."""


class TrainingError(Exception):
    """The job cannot go on; nothing was published. Commands print it and exit with 1."""


class BadInputError(TrainingError):
    """A file, a row or a setting that the user handed in is wrong; the message names it."""
