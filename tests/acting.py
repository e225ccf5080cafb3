"""What people do in tests: take, submit, click at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections, connection

from annotator.accounts.models import Project
from tests import factories
from tests.conftest import Api


def take(api: Api, project: Project) -> Any:
    answer = api.post(f"/projects/{project.pk}/next")
    assert answer.status_code == 200, answer.content
    return answer.json()


def submit(api: Api, assignment: Any, key: str = "", boxes: Any = (), **fields: Any) -> Any:
    body = {
        "token": assignment["token"],
        "fields": {**factories.GOOD_FIELDS, **fields},
        "boxes": list(boxes),
        "attributes": {"package_type": "carton", "stack_level": 2},
        "active_seconds": 12.5,
    }
    headers = {"Idempotency_Key": key} if key else {}
    return api.post(f"/assignments/{assignment['id']}/submit", body, **headers)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run the actions in threads that start together; results or exceptions, in order."""
    barrier = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(place: int, action: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[place] = action()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    close_old_connections()
    return results
