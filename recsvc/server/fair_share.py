"""How many connections each worker has, seen by all of them, so that they are shared evenly.

Workers listen on one socket, and whoever wakes first takes what comes. A gateway opens few
connections and keeps them: all of them may end in one worker, whose brothers have nothing to do.
"""

import mmap

PLACES = 64
"""More than a machine has workers; a worker's place is its age modulo this."""
HEARD_SECONDS = 2.0
"""Who told nothing for so long is not counted: it was killed, or hangs. A worker with nothing to do
tells once a second."""


class FairShare:
    """Counts in memory that is shared by a process and those it forks afterwards.

    Times are seconds of the machine's monotonic clock, which all processes share. Each worker
    writes its own place only; a number that is read while it is written is the old or the new one.
    """

    __slots__ = ("_has_room", "_n_connections", "_told_at")

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, (8 + 4 + 1) * PLACES))
        self._told_at = memory[: 8 * PLACES].cast("d")
        self._n_connections = memory[8 * PLACES : 12 * PLACES].cast("i")
        self._has_room = memory[12 * PLACES :].cast("b")

    def tell(self, age: int, n_connections: int, *, has_room: bool, now: float) -> None:
        """Say how many connections a worker has, and whether it would take one more request."""
        place = age % PLACES
        self._n_connections[place] = n_connections
        self._has_room[place] = has_room
        self._told_at[place] = now

    def leave(self, age: int) -> None:
        """Count a worker no more: it is gone, or takes no further connections."""
        self._told_at[age % PLACES] = 0.0

    def fewest(self, now: float) -> int:
        """Connections of the worker that has the fewest; 0 where nobody told."""
        heard = now - HEARD_SECONDS
        told = zip(self._n_connections, self._told_at, strict=True)
        return min((n for n, at in told if at > heard), default=0)

    def surplus(self, age: int, n_connections: int, now: float) -> int:
        """Connections of a worker that belong to others, who have fewer and room for requests.

        Half of what it has beyond the mean, so that workers that look at the same time do not give
        too much; 0 where it has at most two, or a quarter, more than the mean. So it comes to rest.
        """
        heard, mine = now - HEARD_SECONDS, age % PLACES
        told = zip(self._n_connections, self._told_at, self._has_room, strict=True)
        others = [
            n for place, (n, at, room) in enumerate(told) if at > heard and room and place != mine
        ]
        mean = (n_connections + sum(others)) / (1 + len(others))
        beyond = n_connections - mean
        return int(beyond / 2) if beyond > max(2, mean / 4) else 0
