"""The labeling page's photo for browser tests: tasks with a fixed suggestion, places on the screen,
keys as people strike them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from playwright.sync_api import Page

from annotator.accounts.models import Project
from annotator.captures import intake
from annotator.captures.models import Capture
from annotator.catalog.models import Category
from annotator.core.models import OutboxEvent
from annotator.labeling.models import Task
from annotator.suggestions.models import CaptureSuggestion, Suggestion
from tests import factories

from .waiting import at_rest

WIDTH, HEIGHT = 1200, 800
SKUS = (("MILK-1", "牛奶", "6901234567892"), ("TEA-2", "红茶", "6909876543210"))


ABSENT: Mapping[str, Any] = {"value": None, "confidence": None, "source": "not_available"}


def add_task(
    project: Project,
    *,
    seed: int = 1,
    confidence: float = 0.97,
    views: int = 1,
    read: Mapping[str, Mapping[str, Any]] | None = None,
    heat: Mapping[str, Mapping[str, Any]] | None = None,
) -> Task:
    """A ready task whose first view has a suggestion; no recognizer sees it. ``read`` is what MiniGPT
    says of quantity and condition, ``heat`` where it looked."""
    with transaction.atomic():
        category, _ = Category.objects.get_or_create(
            site=project.site, name="饮料", parent=None, defaults={"path": "饮料"}
        )
        for code, name, barcode in SKUS:
            if not project.site.skus.filter(code=code).exists():
                factories.SkuFactory(
                    site=project.site, code=code, name=name, barcode=barcode, spec="1L/盒",
                    unit="盒", category=category,
                )  # fmt: skip
        captures = []
        for view in range(views):
            data = factories.picture_bytes(100 * seed + view, (WIDTH, HEIGHT))
            intake.take_in(site=project.site, name=f"{seed}-{view}.jpg", data=data, source="test")
            captures.append(Capture.objects.latest("pk"))
        scene = captures[0].scene
        Capture.objects.filter(pk__in=[one.pk for one in captures]).update(scene=scene)
        sure = {"confidence": confidence, "source": "picture"}
        suggestion = Suggestion.objects.create(
            capture=captures[0], model_version="fixed", site_number=0, neighbours=[],
            fields={"sku": {"value": "MILK-1", **sure}, "category": {"value": "饮料", **sure},
                    "spec": {"value": "1L/盒", **sure}, "quantity": ABSENT, "condition": ABSENT,
                    **(read or {})},
            candidates=[
                {"sku_code": code, "confidence": share, "parts": {"picture": share}, "words": []}
                for (code, _, _), share in zip(SKUS, (confidence, 1 - confidence), strict=True)
            ],
            flags=[], timings_ms={}, heat=dict(heat or {}),
        )  # fmt: skip
        CaptureSuggestion.objects.update_or_create(
            capture=captures[0], defaults={"state": "done", "current": suggestion}
        )
        OutboxEvent.objects.all().delete()
        return Task.objects.create(
            project=project, scene=scene, state="ready", overlap=2, places_left=2
        )


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where an image point is seen, by the browser's own arithmetic."""
    at_rest(page)
    place = page.evaluate(
        """([x, y]) => {
          const point = new DOMPoint(x, y).matrixTransform(
            document.querySelector('[data-testid=photo] svg').getScreenCTM());
          return [point.x, point.y];
        }""",
        [x, y],
    )
    return place[0], place[1]


def boxes(page: Page) -> list[tuple[int, int, int, int]]:
    at_rest(page)
    found = page.evaluate(
        """() => [...document.querySelectorAll('[data-box] rect:last-child')].map((rect) =>
          ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name))))"""
    )
    return [tuple(one) for one in found]


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def press(page: Page, *keys: str) -> None:
    """Keys as a person strikes them, not as a scanner. Those that are held back for a scan's sake are
    given on by the page's clock, so that it is the page that waits."""
    for key in keys:
        page.keyboard.press(key)
        page.evaluate("() => new Promise((done) => setTimeout(done, 90))")
        at_rest(page)
