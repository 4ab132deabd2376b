"""What can go wrong in a decision; the API has one table from these to a status."""


class DomainError(Exception):
    """Root of the errors that a caller is told about."""


class NotFoundError(DomainError):
    """No such thing for this issuer; another issuer's thing counts as none."""


class ConflictError(DomainError):
    """The thing exists in a state that forbids this; `code` says which.

    Parameters
    ----------
    code : one word of the API, e.g. ``cap_reached``
    message : what was found and what to do
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RevisionMismatchError(DomainError):
    """The thing changed since the caller read it."""


class InvalidError(DomainError):
    """A value is well-formed but makes no sense here.

    Parameters
    ----------
    pointer : JSON pointer of the value in what was sent, e.g. ``/audience/size``
    message : what was found and expected, without the value itself
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class StoreAwayError(DomainError):
    """A store gave no answer in time.

    Parameters
    ----------
    store : which one, a word for logs and `degraded`
    reason : class of the failure, a word for logs and counters
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store}: no answer ({reason})")
        self.store = store
        self.reason = reason


class StoreFullError(StoreAwayError):
    """A store reads but cannot take more."""


class NothingToServeError(DomainError):
    """No catalogue is loaded for this issuer, so there is nothing to recommend."""
