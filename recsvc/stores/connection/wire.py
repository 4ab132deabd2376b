"""A socket to a store and what comes over it, without the layers of the client library.

The client library opens the socket, proves who we are and closes it; in between, what every
request asks goes over it directly. One command of theirs costs as much as three here.
"""

import socket
from collections.abc import Callable
from typing import Any

from hiredis import ProtocolError, Reader
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

READ_BYTES = 64 * 1024


class Wire:
    """Sends commands and reads their answers, over a socket that is open.

    Parameters
    ----------
    opened : socket
    wait : called before each wait; seconds that it may last, or an error when it may not
    """

    def __init__(self, opened: socket.socket, wait: Callable[[], float]) -> None:
        self._socket = opened
        self._wait = wait
        self._reader = Reader()
        self._buffer = bytearray(READ_BYTES)

    def ask(self, commands: bytes, count: int) -> list[Any]:
        """Answers of so many packed commands; the store's refusals are among them.

        Raises
        ------
        RedisTimeoutError, RedisConnectionError
            and then nothing more may be asked over this socket
        """
        try:
            self._bound()
            self._socket.sendall(commands)
            return self._answers(count)
        except TimeoutError:
            self._wait()  # says so when it was the request that had no time left
            raise RedisTimeoutError("the store gave no answer in time") from None
        except (OSError, ProtocolError) as error:
            raise RedisConnectionError(f"the socket to the store failed: {error}") from None

    def _answers(self, count: int) -> list[Any]:
        """So many answers, read as they come."""
        reader, buffer = self._reader, self._buffer
        answers: list[Any] = []
        while True:
            size = self._socket.recv_into(buffer)
            if not size:
                raise RedisConnectionError("the store closed the socket")
            reader.feed(buffer, 0, size)  # type: ignore[arg-type]  # takes any buffer
            while (answer := reader.gets()) is not False:  # False: not whole yet
                answers.append(answer)
            if len(answers) >= count:
                return answers
            self._bound()

    def _bound(self) -> None:
        """Let the next wait last no longer than it may."""
        seconds = self._wait()
        if seconds != self._socket.gettimeout():
            self._socket.settimeout(seconds)
