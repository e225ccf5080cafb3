"""The demo site: rendered, not downloaded, so that a newcomer has something to look at."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction

from annotator.accounts import services as accounts
from annotator.accounts.models import User
from annotator.accounts.states import Role
from annotator.datasets.services import import_dataset

SLUG = "demo"
SCENES = 40
SEED = 7
PEOPLE = (
    ("anno1", "标注员甲", (Role.ANNOTATOR,)),
    ("anno2", "标注员乙", (Role.ANNOTATOR,)),
    ("reviewer", "复核员", (Role.REVIEWER,)),
    ("admin", "站点管理员", (Role.ADMIN,)),
)


def folder() -> Path:
    """Where the rendered scenes and their truth lie."""
    return Path(settings.HOME) / "demo"


def is_wanted() -> bool:
    """Whether the installation is empty, or an earlier filling did not reach its end: people come
    last."""
    return not User.objects.exists()


def fill_demo(*, say: Callable[[str], None]) -> dict[str, str]:
    """Render the scenes, import them as new photos, and make the people; returns their passwords."""
    render()
    site, _ = accounts.ensure_site(slug=SLUG, name="演示仓库")
    project, _ = accounts.ensure_project(site=site, slug=SLUG, name="演示项目")
    say("Importing the catalog and the photos …")
    report = import_dataset(root=folder(), project=project, as_decided=False)
    say(f"{report.catalog['created']} SKUs, {report.captures_created} photos.")
    with transaction.atomic():
        passwords = {}
        for username, name, roles in PEOPLE:
            user, passwords[username] = accounts.create_user(username=username, display_name=name)
            accounts.grant_roles(user=user, site=site, roles=roles)
    return passwords


def render() -> None:
    """Render the scenes once. A rendering that was interrupted is thrown away."""
    done, partial = folder(), folder().with_suffix(".partial")
    if (done / "manifest.json").is_file():
        return
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(done, ignore_errors=True)
    command = [sys.executable, "-m", "inference.scenes", str(partial)]
    command += ["--scenes", str(SCENES), "--seed", str(SEED)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=settings.BASE_DIR)
    if result.returncode:
        raise RuntimeError(f"Rendering the demo failed:\n{result.stderr[-2000:]}")
    partial.rename(done)
