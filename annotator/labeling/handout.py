"""Choosing and taking the next task in one statement, whose cost does not grow with the queue.

Tasks that can be taken stand in *lanes*: one for each set of people who had them (``Task.had``), the
untouched ones in the lane ``,``. A lane is closed to those people as a whole, so nobody wades through
the thousands of tasks that they answered and that wait for somebody else. The statement hops from lane
to lane by the index, looks at the heads of the open ones, takes the best, and passes over rows that
others are taking at this moment. It leases by ``LEASE``'s row of the transition table.

Look-alikes are taken otherwise (ADR 18): :func:`groups` counts by SKU what the machine is sure of,
:func:`members` lists one group, :func:`take_these` takes chosen ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from .models import Task
from .states import OPEN_STATES, Action, TaskState, next_state

# What comes first, best first; the head of the queue and its indexes (see ``Task.Meta``) follow it.
BY_VALUE = "{t}.priority DESC, {t}.due_at, {t}.answers DESC, {t}.value DESC, {t}.id"
AT_RANDOM = "{t}.priority DESC, {t}.due_at, {t}.answers DESC, {t}.shuffle, {t}.id"
_VACANT = (
    "{t}.project_id = %(project)s AND {t}.state IN ('ready', 'labeling') AND {t}.places_left > 0"
    " AND NOT {t}.on_hold"
)
_HEADS = 50
"""So many rows are looked at, in case others hold the first ones at this moment."""

_LANES = """lanes (had) AS (
  SELECT (SELECT MIN(t.had) FROM labeling_task t WHERE {vacant_t})
  UNION ALL
  SELECT (SELECT MIN(t.had) FROM labeling_task t WHERE {vacant_t} AND t.had > lanes.had)
  FROM lanes WHERE lanes.had IS NOT NULL)"""
_ALLOWED = """allowed (id) AS (
  SELECT DISTINCT c.id FROM catalog_category c JOIN catalog_category top
  ON c.site_id = top.site_id
  AND (c.id = top.id OR substr(c.path, 1, length(top.path) + 1) = top.path || '/')
  WHERE top.id IN ({categories}))"""
_LANES_OF_CATEGORIES = """{allowed},
lanes (category_id, had) AS (
  SELECT allowed.id, (SELECT MIN(t.had) FROM labeling_task t
    WHERE {vacant_t} AND t.category_id = allowed.id) FROM allowed
  UNION ALL
  SELECT lanes.category_id, (SELECT MIN(t.had) FROM labeling_task t
    WHERE {vacant_t} AND t.category_id = lanes.category_id AND t.had > lanes.had)
  FROM lanes WHERE lanes.had IS NOT NULL)"""
_OPEN_TO_ME = "lanes.had IS NOT NULL AND lanes.had NOT LIKE %(me)s"
_HEAD = """SELECT {columns} FROM labeling_task h
    WHERE {vacant_h} AND {in_lane} ORDER BY {order_h} LIMIT {heads}"""
_BEST = {
    # Without row locks there is one writer, and the first row of a lane is free.
    "sqlite": """SELECT t.id FROM (SELECT ({head}) AS id FROM lanes WHERE {open_to_me}) first
    JOIN labeling_task t ON t.id = first.id ORDER BY {order_t} LIMIT 1""",
    # An array, so that the planner fetches the few rows by their key whatever it guesses of lanes.
    "postgresql": """SELECT t.id FROM labeling_task t WHERE t.id = ANY (ARRAY(
      SELECT first.id FROM lanes CROSS JOIN LATERAL ({head}) first
      WHERE {open_to_me} ORDER BY {order_first} LIMIT {heads}))
    AND {vacant_t} AND t.had NOT LIKE %(me)s
    ORDER BY {order_t} LIMIT 1 FOR UPDATE OF t SKIP LOCKED""",
}
_TAKE = """UPDATE labeling_task
SET state = '{leased}', places_left = places_left - 1, had = had || %(mine)s
WHERE id = (WITH RECURSIVE {lanes} {best}) RETURNING *"""
_PROPOSED_TO_ME = """{vacant_t} AND t.proposed > '' AND t.had NOT LIKE %(me)s {in_categories}
AND t.id NOT IN (SELECT a.task_id FROM labeling_assignment a
  WHERE a.annotator_id = %(user)s AND a.state = 'released' AND a.grid > '')"""
_GROUPS = """{allowed} SELECT t.proposed FROM labeling_task t WHERE {proposed_to_me}
GROUP BY t.proposed HAVING COUNT(*) >= %(fewest)s
ORDER BY MAX(t.priority) DESC, MIN(t.due_at), COUNT(*) DESC, t.proposed LIMIT %(most)s"""
_MEMBERS = """{allowed} SELECT t.id, t.scene_id FROM labeling_task t
WHERE {proposed_to_me} AND t.proposed = %(proposed)s ORDER BY {order_t} LIMIT %(most)s"""
_TAKE_THESE = """UPDATE labeling_task
SET state = '{leased}', places_left = places_left - 1, had = had || %(mine)s
WHERE id IN (SELECT t.id FROM labeling_task t
  WHERE t.id IN ({ids}) AND {vacant_t} AND t.had NOT LIKE %(me)s ORDER BY t.id {lock})
RETURNING *"""
_LOCK = {"sqlite": "", "postgresql": "FOR UPDATE OF t SKIP LOCKED"}
_ANY = "WITH RECURSIVE {lanes} SELECT EXISTS (SELECT 1 FROM lanes WHERE {open_to_me})"


def take(
    *,
    project_id: int,
    user_id: int,
    categories: Sequence[int] = (),
    at_random: bool = False,
) -> Task | None:
    """Take a place of the best task that ``user_id`` has not had, under its row lock; None when
    there is none that nobody locks. ``categories`` (ids, with all below them) limit the choice.
    Must run in a transaction."""
    statement = _take_statement(categories, at_random=at_random)
    params = _params(project_id, user_id, categories)
    return next(iter(Task.objects.raw(statement, params)), None)


def any_left(*, project_id: int, user_id: int, categories: Sequence[int] = ()) -> bool:
    """Whether there is a task to take, locked by others or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ANY.format(lanes=_lanes(categories), open_to_me=_OPEN_TO_ME),
            _params(project_id, user_id, categories),
        )
        return bool(cursor.fetchone()[0])


def groups(
    *, project_id: int, user_id: int, categories: Sequence[int], fewest: int, most: int
) -> list[str]:
    """The keys of at most ``most`` SKUs of which the machine is sure in ``fewest`` or more tasks
    that ``user_id`` may take: urgent ones first, then what is due first, then the largest."""
    params = _params(project_id, user_id, categories) | {"user": user_id}
    with connection.cursor() as cursor:
        cursor.execute(
            _among_proposed(_GROUPS, categories), params | {"fewest": fewest, "most": most}
        )
        return [proposed for (proposed,) in cursor.fetchall()]


def members(
    *, project_id: int, user_id: int, categories: Sequence[int], proposed: str, most: int
) -> list[tuple[int, int]]:
    """The first tasks of a group of :func:`groups`, each with its scene, in the queue's order. Not
    those that ``user_id`` knocked out of one before."""
    params = _params(project_id, user_id, categories) | {"user": user_id}
    with connection.cursor() as cursor:
        cursor.execute(
            _among_proposed(_MEMBERS, categories), params | {"proposed": proposed, "most": most}
        )
        return list(cursor.fetchall())


def take_these(*, project_id: int, user_id: int, task_ids: Sequence[int]) -> list[Task]:
    """Take a place of each of these tasks that ``user_id`` still may have and nobody locks. Must run
    in a transaction."""
    ids = {f"task{n}": pk for n, pk in enumerate(task_ids)}
    statement = _TAKE_THESE.format(
        leased=LEASED.value,
        ids=", ".join(f"%({name})s" for name in ids),
        vacant_t=_VACANT.format(t="t"),
        lock=_LOCK[connection.vendor],
    )
    params = _params(project_id, user_id, ()) | ids
    return sorted(Task.objects.raw(statement, params), key=lambda task: task_ids.index(task.pk))


def _among_proposed(statement: str, categories: Sequence[int]) -> str:
    allowed = f"WITH {_allowed(categories)}" if categories else ""
    return statement.format(
        allowed=allowed,
        order_t=BY_VALUE.format(t="t"),
        proposed_to_me=_PROPOSED_TO_ME.format(
            vacant_t=_VACANT.format(t="t"),
            in_categories="AND t.category_id IN (SELECT id FROM allowed)" if categories else "",
        ),
    )


def _params(project_id: int, user_id: int, categories: Sequence[int]) -> dict[str, int | str]:
    named: dict[str, int | str] = {f"category{n}": pk for n, pk in enumerate(categories)}
    return named | {"project": project_id, "me": f"%,{user_id},%", "mine": f"{user_id},"}


def _lanes(categories: Sequence[int]) -> str:
    vacant_t = _VACANT.format(t="t")
    if not categories:
        return _LANES.format(vacant_t=vacant_t)
    return _LANES_OF_CATEGORIES.format(vacant_t=vacant_t, allowed=_allowed(categories))


def _allowed(categories: Sequence[int]) -> str:
    names = ", ".join(f"%(category{n})s" for n in range(len(categories)))
    return _ALLOWED.format(categories=names)


def _take_statement(categories: Sequence[int], *, at_random: bool) -> str:
    sqlite = connection.vendor == "sqlite"
    order = AT_RANDOM if at_random and not categories else BY_VALUE
    vacant_t, vacant_h = (_VACANT.format(t=t) for t in "th")
    in_lane = "h.had = lanes.had"
    if categories:
        in_lane += " AND h.category_id = lanes.category_id"
    heads = 1 if sqlite else _HEADS
    head = _HEAD.format(
        columns="h.id" if sqlite else "h.id, h.priority, h.due_at, h.answers, h.value, h.shuffle",
        vacant_h=vacant_h,
        in_lane=in_lane,
        order_h=order.format(t="h"),
        heads=heads,
    )
    best = _BEST[connection.vendor].format(
        head=head,
        heads=heads,
        open_to_me=_OPEN_TO_ME,
        vacant_t=vacant_t,
        order_first=order.format(t="first"),
        order_t=order.format(t="t"),
    )
    return _TAKE.format(leased=LEASED.value, lanes=_lanes(categories), best=best)


LEASED = TaskState.LABELING
assert {next_state(state, Action.LEASE) for state in OPEN_STATES} == {LEASED}
