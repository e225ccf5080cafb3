"""Django's SQLite backend, with writers of one process in a queue.

SQLite has one writer at a time, and those who wait for it sleep and look again, longer and longer: with
thirty threads some wait for seconds while nobody writes. Here the next thread of the process goes on the
moment the one before it is done; other processes are still waited for as before.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError


class _Turns:
    """A lock that is handed over in the order of asking."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def take(self, timeout_s: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(timeout_s):
            return True
        with self._guard:
            if mine.is_set():
                return True
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


_turns: dict[str, _Turns] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction begins when the threads before it are through."""

    _has_turn = False

    @property
    def _queue(self) -> _Turns:
        return _turns.setdefault(str(self.settings_dict["NAME"]), _Turns())

    def _start_transaction_under_autocommit(self) -> None:
        if not self._has_turn:
            timeout_s = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
            if not self._queue.take(timeout_s):
                raise OperationalError("database is locked")
            self._has_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn()
            raise

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if autocommit:
            self._give_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._queue.give()
