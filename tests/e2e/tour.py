"""The main pages: what to open as whom, and what shows that it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from .waiting import at_rest, still
from .world import World

SKELETON = "[role=status][aria-label]"


@dataclass(frozen=True, slots=True)
class Stop:
    """One page: its name, who looks, its address, a test id on it, and what to press or click once there."""

    name: str
    who: str
    address: str
    shows: str
    press: str = ""
    then: str = ""
    click: str = ""


def stops(world: World) -> list[Stop]:
    """Every main page."""
    project, site = f"/p/{world.project.pk}", f"/s/{world.project.site_id}"
    edit = f"{site}/admin/projects/{world.project.pk}"
    return [
        Stop("home-annotator", "anna", "/", f"home-project-{world.project.pk}"),
        Stop("label", "anna", f"{project}/label", "field-sku"),
        Stop("label-help", "anna", f"{project}/label", "field-sku", "?", "shortcuts"),
        Stop("feedback", "anna", "/feedback", f"feedback-row-{world.decided.pk}"),
        Stop("home-reviewer", "rita", "/", f"home-project-{world.project.pk}"),
        Stop("disputes", "rita", f"{project}/review", f"review-row-{world.dispute.pk}"),
        Stop("desk", "rita", f"{project}/review/{world.dispute.pk}", "decide"),
        Stop("desk-help", "rita", f"{project}/review/{world.dispute.pk}", "decide", "?", "shortcuts"),
        Stop(
            "desk-send-back", "rita", f"{project}/review/{world.dispute.pk}", "decide", "Alt+b",
            "send-back-note",
        ),
        Stop("trivial", "rita", f"{project}/review/trivial", f"trivial-{world.trivial.pk}"),
        Stop("tasks", "adam", f"{project}/tasks", f"task-row-{world.decided.pk}"),
        Stop("tasks-decided", "adam", f"{project}/tasks?state=decided", "gold-file"),
        Stop("task", "adam", f"{project}/tasks/{world.decided.pk}", "decision-caption"),
        Stop("quality", "adam", f"{project}/quality", "metric-completeness"),
        Stop("quality-person", "adam", f"{project}/quality/{world.anna}", "person"),
        Stop("spot-checks", "rita", f"{project}/spot-checks", "spot-right"),
        Stop("spot-checks-mend", "rita", f"{project}/spot-checks", "spot-right", click="wrong-quantity"),
        Stop("home-admin", "adam", "/", f"home-project-{world.project.pk}"),
        Stop("captures", "adam", f"{site}/captures", "upload-project"),
        Stop("captures-groups", "adam", f"{site}/captures?tab=groups", "tab-groups"),
        Stop("captures-quarantine", "adam", f"{site}/captures?tab=quarantine", "quarantine-row"),
        Stop("catalog", "adam", f"{site}/catalog", "import-open"),
        Stop("catalog-new", "adam", f"{site}/catalog?sku=0", "import-open"),
        Stop("projects", "adam", f"{site}/admin", "project-new"),
        Stop("members", "adam", f"{site}/admin?tab=members", "member-anna"),
        Stop("jobs", "adam", f"{site}/admin?tab=jobs", "jobs-kind"),
        Stop("models", "adam", f"{site}/admin?tab=models", "gate-save"),
        Stop("models-run", "adam", f"{site}/admin?tab=models", "gate-save", click=f"run-open-{world.run}"),
        Stop("answers", "adam", f"{site}/admin?tab=answers", "tab-answers"),
        Stop("answers-one", "adam", f"{site}/admin?tab=answers", "tab-answers", click=f"open-answer-{world.answer}"),
        Stop("tokens", "adam", f"{site}/admin?tab=tokens", "tab-tokens"),
        Stop("audit", "adam", f"{site}/admin?tab=audit", "audit-row"),
        Stop("project-settings", "adam", edit, "setting-share"),
        Stop("project-schema", "adam", f"{edit}?tab=schema", "tab-schema"),
        Stop("project-guide", "adam", f"{edit}?tab=guide", "tab-guide"),
        Stop("project-snapshots", "adam", f"{edit}?tab=snapshots", "tab-snapshots"),
        Stop("project-batches", "adam", f"{edit}?tab=batches", "tab-batches"),
    ]  # fmt: skip


def tour(
    world: World,
    sign_in: Callable[[str], Page],
    base: str,
    only: Callable[[Stop], bool] = lambda _: True,
) -> Iterator[tuple[Stop, Page]]:
    """Every page in turn, opened."""
    pages: dict[str, Page] = {}
    for stop in filter(only, stops(world)):
        if stop.who not in pages:
            pages[stop.who] = sign_in(stop.who)
        page = pages[stop.who]
        arrive(page, stop, base)
        yield stop, page


def arrive(page: Page, stop: Stop, base: str) -> None:
    """Open the page and wait until it is there."""
    page.goto(base + stop.address)
    expect(page.get_by_test_id(stop.shows).first).to_be_visible()
    if stop.press:
        at_rest(page)
        page.keyboard.press("Escape")  # where a field has the focus, a letter would be text
        page.keyboard.press(stop.press)
        expect(page.get_by_test_id(stop.then)).to_be_visible()
    if stop.click:
        page.get_by_test_id(stop.click).click()
    page.wait_for_load_state("networkidle")
    expect(page.locator(SKELETON)).to_have_count(0)
    still(page)
