from __future__ import annotations

import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotator.accounts import services as accounts
from annotator.accounts.cli import SiteCommand
from annotator.accounts.models import ApiToken, Project, User
from annotator.accounts.states import Role
from annotator.pipeline import demo
from annotator.pipeline.colleagues import Annotator, Habits, Reviewer, Tally, read_truth
from annotator.settings.env import env


class Command(SiteCommand):
    help = "Let simulated colleagues label and review a rendered project through the API."
    wants_project = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--demo", action="store_true", help="work on the demo site for a while")
        parser.add_argument("--truth", type=Path, help="the data set that holds the truth")
        parser.add_argument("--url", default=f"http://{env.host}:{env.port}")
        parser.add_argument("--annotators", type=int, default=2)
        parser.add_argument("--reviewers", type=int, default=1)
        parser.add_argument("--answers", type=int, default=60, help="answers in all")
        parser.add_argument("--leave-disputes", type=int, default=0)
        parser.add_argument("--pause", type=float, default=0.0, help="seconds between two tasks")
        parser.add_argument("--errors", type=float, default=1.0, help="scales the error rates")
        parser.add_argument("--patience", type=float, default=30.0, help="seconds without work")
        parser.add_argument("--seed", type=int, default=1)

    def run(self, **options: Any) -> Mapping[str, Any]:
        if options["demo"]:
            options |= {
                "site": demo.SLUG,
                "project": demo.SLUG,
                "truth": demo.folder(),
                "answers": 44,
                "errors": 1.5,
                "leave_disputes": 1,
                "pause": 0.7,
                "patience": 240.0,
            }
        project = self.project(options)
        root = options["truth"]
        if root is None or not (root / "annotations").is_dir():
            raise CommandError("Name the data set that holds the truth with --truth.")
        usual = Habits()
        scale = options["errors"]
        habits = Habits(
            wrong_sku=usual.wrong_sku * scale,
            wrong_quantity=usual.wrong_quantity * scale,
            wrong_condition=usual.wrong_condition * scale,
            skip=usual.skip * scale,
            pause_s=options["pause"],
        )
        people = self._people(project, options)
        try:
            return self._work(project, people, habits, options)
        finally:
            for token, _, _ in people:
                accounts.revoke_token(token=token, actor=token.user)

    def _people(
        self, project: Project, options: Mapping[str, Any]
    ) -> list[tuple[ApiToken, str, Role]]:
        people = []
        wanted = [(Role.ANNOTATOR, n) for n in range(options["annotators"])]
        wanted += [(Role.REVIEWER, n) for n in range(options["reviewers"])]
        words = {Role.ANNOTATOR: "模拟标注员", Role.REVIEWER: "模拟复核员"}
        for role, n in wanted:
            username = f"sim.{role.value}{n + 1}"
            user = User.objects.filter(username=username).first()
            if user is None:
                user, _ = accounts.create_user(
                    username=username, display_name=f"{words[role]}{n + 1}", service=True
                )
            accounts.grant_roles(user=user, site=project.site, roles=[role])
            token, secret = accounts.create_token(
                site=project.site, name="simulated colleague", user=user
            )
            people.append((token, secret, role))
        return people

    def _work(
        self,
        project: Project,
        people: list[tuple[ApiToken, str, Role]],
        habits: Habits,
        options: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        truth, tally = read_truth(options["truth"]), Tally()
        labeling_over = threading.Event()
        started = time.monotonic()
        threads: dict[Role, list[threading.Thread]] = {Role.ANNOTATOR: [], Role.REVIEWER: []}
        for n, (_, secret, role) in enumerate(people):
            common: dict[str, Any] = {
                "url": options["url"],
                "token": secret,
                "project": project.pk,
                "seed": options["seed"] * 1000 + n,
                "tally": tally,
            }
            if role == Role.ANNOTATOR:
                annotator = Annotator(truth=truth, habits=habits, **common)
                target, arguments = self._annotate, (annotator, tally, habits, options)
            else:
                reviewer = Reviewer(truth=truth, **common)
                target, arguments = self._review, (reviewer, habits, options, labeling_over)  # type: ignore[assignment]
            threads[role].append(_thread(target, *arguments))
        for thread in threads[Role.ANNOTATOR]:
            thread.join()
        labeling_over.set()
        for thread in threads[Role.REVIEWER]:
            thread.join()
        seconds = time.monotonic() - started
        return {"seconds": round(seconds, 1), **tally.to_json()}

    @staticmethod
    def _annotate(
        annotator: Annotator, tally: Tally, habits: Habits, options: Mapping[str, Any]
    ) -> None:
        idle_since = time.monotonic()
        while tally.done["submitted"] < options["answers"]:
            if annotator.work_one():
                idle_since = time.monotonic()
                time.sleep(habits.pause_s)
            elif time.monotonic() - idle_since > options["patience"]:
                return
            else:
                time.sleep(1.0)

    @staticmethod
    def _review(
        reviewer: Reviewer,
        habits: Habits,
        options: Mapping[str, Any],
        labeling_over: threading.Event,
    ) -> None:
        while True:
            if reviewer.work_one(leave=options["leave_disputes"]):
                time.sleep(habits.pause_s)
            elif labeling_over.is_set():
                return
            else:
                time.sleep(1.0)


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread
