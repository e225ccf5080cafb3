"""Signing in, languages, the commands that make accounts, and settings that refuse to start."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import translation
from rest_framework.throttling import ScopedRateThrottle

from annotator.accounts.models import ApiToken, Site, User
from annotator.accounts.states import Role
from annotator.core.models import AuditEntry
from annotator.settings.env import env
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
PASSWORD = "a-long-test-password"


@pytest.fixture
def person() -> User:
    site = factories.SiteFactory(slug="north", name="北仓")
    return factories.member(site, Role.ANNOTATOR, Role.REVIEWER, username="li", display_name="李")


def sign_in(api: Api, username: str = "li", password: str = PASSWORD, **headers: str) -> Any:
    return api.post("/session", {"username": username, "password": password}, **headers)


# --- the session -----------------------------------------------------------------------------


def test_signing_in_and_out(person: User) -> None:
    api = Api()
    before = api.get("/session").json()
    assert (before["authenticated"], "user" in before) == (False, False)
    answer = sign_in(api)
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert (user["id"], user["username"], user["display_name"]) == (person.pk, "li", "李")
    (membership,) = user["memberships"]
    assert membership["site"]["slug"] == "north"
    assert membership["roles"] == ["annotator", "reviewer"]
    cookie = api.client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1_209_600)
    assert api.client.cookies["csrftoken"]["samesite"] == "Lax"
    assert api.get("/session").json()["authenticated"] is True
    assert api.delete("/session").status_code == 204
    assert api.get("/session").json()["authenticated"] is False


def test_a_session_gets_a_new_key_when_somebody_signs_in(person: User) -> None:
    api = Api(factories.UserFactory())
    before = api.client.cookies["sessionid"].value
    assert sign_in(api).status_code == 200
    assert api.client.cookies["sessionid"].value != before


@pytest.mark.parametrize(("username", "password"), [("li", "wrong"), ("nobody", PASSWORD)])
def test_wrong_credentials_say_nothing_of_which(person: User, username: str, password: str) -> None:
    answer = sign_in(Api(), username, password)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [e["code"] for e in answer.json()["errors"]] == ["bad_credentials"]
    assert answer.json()["detail"] == "The user name or the password is wrong"


def test_who_left_cannot_sign_in(person: User) -> None:
    api = Api(person)
    User.objects.update(is_active=False)
    assert sign_in(Api()).status_code == 400
    assert api.get("/session").json()["authenticated"] is False


def test_signing_in_needs_the_csrf_token(person: User) -> None:
    api = Api()
    api.client.cookies.clear()
    answer = sign_in(api)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert answer["Content-Type"] == "application/problem+json"
    signed_in = Api(person)
    signed_in.client.cookies.pop("csrftoken")
    assert signed_in.patch("/me", {"theme": "dark"}).status_code == 403
    person.refresh_from_db()
    assert person.theme == "auto"


def test_guessing_passwords_is_slowed_down(person: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign_in": "3/min"})
    cache.clear()
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as clock:
        api = Api()
        # A header that the guesser writes does not make a new guesser.
        answers = [sign_in(api, password="wrong", X_Forwarded_For=f"10.0.0.{n}") for n in range(4)]
        assert [a.status_code for a in answers] == [400, 400, 400, 429]
        last = answers[-1]
        assert (last.json()["code"], last["Retry-After"]) == ("throttled", "60")
        assert sign_in(api).status_code == 429
        assert api.get("/session").status_code == 200
        clock.shift(61)
        assert sign_in(api).status_code == 200
    cache.clear()


def test_cookies_are_secure_behind_https(settings: Any, person: User) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    api = Api()
    sign_in(api)
    assert api.client.cookies["sessionid"]["secure"] is True
    assert api.client.cookies["csrftoken"]["secure"] is True


# --- languages -------------------------------------------------------------------------------

SIGN_IN_FIRST = {
    "zh-CN,zh;q=0.9": "请先登录",
    "en-GB": "Sign in first",
    "ja": "ログインしてください",
    "fr": "请先登录",
}


@pytest.mark.parametrize("asked", SIGN_IN_FIRST)
def test_errors_speak_the_language_that_the_browser_asks_for(asked: str) -> None:
    answer = Api().get("/projects", Accept_Language=asked)
    assert (answer.status_code, answer.json()["detail"]) == (401, SIGN_IN_FIRST[asked])


def test_errors_speak_the_language_of_the_signed_in_person(person: User) -> None:
    api = Api(person)
    assert api.get("/projects/0", Accept_Language="en").json()["detail"] == "没有找到，可能已删除"
    answer = api.patch("/me", {"language": "ja", "theme": "dark", "display_name": "李さん"})
    assert answer.status_code == 200
    assert (answer.json()["language"], answer.json()["theme"]) == ("ja", "dark")
    assert api.get("/projects/0", Accept_Language="en").json()["detail"] == "見つかりません"
    person.refresh_from_db()
    assert (person.language, person.display_name) == ("ja", "李さん")


def test_own_shortcuts_are_kept_and_come_with_the_session(person: User) -> None:
    api = Api(person)
    assert api.get("/session").json()["user"]["shortcuts"] == {}
    mine = {"draw": "q", "submit": "mod+shift+s", "zoomIn": "+"}
    assert api.patch("/me", {"shortcuts": mine}).json()["shortcuts"] == mine
    assert api.get("/session").json()["user"]["shortcuts"] == mine
    assert Api(factories.UserFactory()).get("/session").json()["user"]["shortcuts"] == {}


@pytest.mark.parametrize(
    "shortcuts",
    [
        {"draw": "ctrl z"},
        {"draw": ""},
        {"draw": "mod+alt+shift+q+w"},
        {"not an action": "q"},
        {f"action{n}": "q" for n in range(101)},
        ["q"],
    ],
)
def test_shortcuts_that_cannot_be_are_refused(person: User, shortcuts: Any) -> None:
    answer = Api(person).patch("/me", {"shortcuts": shortcuts})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("shortcuts")
    person.refresh_from_db()
    assert person.shortcuts == {}


def test_settings_of_ones_own_are_checked(person: User) -> None:
    api = Api(person)
    answer = api.patch("/me", {"language": "de", "is_superuser": True})
    assert [e["field"] for e in answer.json()["errors"]] == ["language"]
    assert api.patch("/me", {"is_superuser": True}).status_code == 200
    person.refresh_from_db()
    assert (person.language, person.is_superuser) == ("zh-hans", False)


def test_an_unknown_address_is_a_problem_too() -> None:
    answer = Api().get("/nothing-here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


# --- commands --------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    capsys.readouterr()
    call_command(*command, "--json")
    (line,) = capsys.readouterr().out.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def test_create_user(capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(
        capsys, "create_user", "wang", "--role", "annotator", "--role", "reviewer", "--site", "east"
    )
    assert answer["roles"] == ["annotator", "reviewer"]
    assert len(answer["password"]) >= 12
    user = User.objects.get(username="wang")
    assert user.check_password(answer["password"])
    assert answer["password"] not in user.password
    assert set(user.memberships.values_list("site__slug", "role")) == {
        ("east", "annotator"),
        ("east", "reviewer"),
    }
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"user.created", "role.granted"} <= actions
    again = said(capsys, "create_user", "zhao", "--role", "admin")
    assert (again["site"], again["password"] != answer["password"]) == ("east", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wang", "--password", "short"], "10"),
        (["wang", "--password", "1234567890123"], "数字"),
        (["bad name"], "username"),
        (["taken"], "username"),
        (["wang", "--site", "Bad Slug", "--role", "admin"], "slug"),
        (["bad name", "--password", "wang"], "password"),
    ],
)
def test_create_user_refuses(arguments: list[str], message: str) -> None:
    factories.UserFactory(username="taken")
    with (
        translation.override("zh-hans"),
        pytest.raises(CommandError, match=message),
    ):
        call_command("create_user", *arguments)
    assert list(User.objects.values_list("username", flat=True)) == ["taken"]


def test_several_mistakes_are_all_named() -> None:
    with translation.override("en"), pytest.raises(CommandError) as error:
        call_command("create_user", "wang", "--password", "12345")
    assert "too short" in str(error.value)
    assert "entirely numeric" in str(error.value)


def test_create_token(capsys: pytest.CaptureFixture[str]) -> None:
    site = factories.SiteFactory(slug="north")
    answer = said(capsys, "create_token", "--name", "conveyor 3")
    assert (answer["site"], answer["user"], answer["name"]) == ("north", "wms.north", "conveyor 3")
    token = ApiToken.objects.get()
    assert answer["token"].startswith(token.prefix)
    assert answer["token"] not in (token.digest, token.prefix)
    machine = token.user
    assert (machine.is_service, machine.has_usable_password()) == (True, False)
    assert list(machine.memberships.values_list("role", flat=True)) == ["integrator"]
    # A second token is of the same machine.
    second = said(capsys, "create_token", "--site", "north")
    assert (User.objects.count(), second["token"] == answer["token"]) == (1, False)
    person = factories.member(site, Role.ADMIN, username="li")
    assert said(capsys, "create_token", "--user", "li")["user"] == person.username


def test_create_token_refuses() -> None:
    with pytest.raises(CommandError, match="Sites: none yet"):
        call_command("create_token")
    factories.SiteFactory(slug="a"), factories.SiteFactory(slug="b")
    with pytest.raises(CommandError, match=r"Name a site with --site\. Sites: a, b"):
        call_command("create_token")
    with pytest.raises(CommandError, match="no site 'c'"):
        call_command("create_token", "--site", "c")
    with pytest.raises(CommandError, match="no user 'li'"):
        call_command("create_token", "--site", "a", "--user", "li")
    assert (ApiToken.objects.count(), Site.objects.count()) == (0, 2)


def test_a_token_acts_on_its_site_until_it_is_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    mine, other = factories.SiteFactory(), factories.SiteFactory()
    person = factories.member(mine, Role.ADMIN, username="li")
    factories.Membership.objects.create(user=person, site=other, role=Role.ADMIN)
    for site in (mine, other):
        factories.ProjectFactory(site=site)
    secret = said(capsys, "create_token", "--site", mine.slug, "--user", "li")["token"]
    api = Api()
    with_token = {"Authorization": f"Token {secret}"}
    rows = api.get("/projects", **with_token).json()
    assert [row["site"]["id"] for row in rows] == [mine.pk]
    assert ApiToken.objects.get().last_used_at is not None
    assert Api(person).delete(f"/tokens/{ApiToken.objects.get().pk}").status_code == 204
    refused = api.get("/projects", **with_token)
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Token")


def test_the_exit_status_tells_of_failure() -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "create_user", "li", "--password", "short", "--json"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "annotator.settings.test"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "10" in run.stderr
    assert "Traceback" not in run.stderr


# --- production settings ----------------------------------------------------------------------

GOOD = {
    "debug": False,
    "secret_key": "Kq3v9Zx7Lm2Np8Rt5Wy1Bd6Fg4Hj0SaQeUiOpTrYcVnMzXw-_abcDEF",
    "allowed_hosts": ["warevision.example.com"],
    "database_url": "postgres://user:password@db/warevision",
    "broker_url": "redis://redis:6379/0",
}


def production(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.setattr(env, name, value)
    monkeypatch.delitem(sys.modules, "annotator.settings.prod", raising=False)
    return importlib.import_module("annotator.settings.prod")


def test_production_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    prod = production(monkeypatch)
    assert prod.DEBUG is False
    assert prod.SESSION_COOKIE_SECURE is prod.CSRF_COOKIE_SECURE is True
    assert prod.SECURE_HSTS_SECONDS >= 31_536_000
    assert prod.REST_FRAMEWORK["NUM_PROXIES"] == 1
    assert django_settings.REST_FRAMEWORK["NUM_PROXIES"] == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"debug": True}, "WAREVISION_DEBUG"),
        ({"secret_key": ""}, "WAREVISION_SECRET_KEY"),
        ({"secret_key": "short"}, "WAREVISION_SECRET_KEY"),
        ({"secret_key": "ab" * 40}, "WAREVISION_SECRET_KEY"),
        ({"secret_key": "django-insecure-" + GOOD["secret_key"]}, "WAREVISION_SECRET_KEY"),
        ({"secret_key": "please-CHANGE-me-" + GOOD["secret_key"]}, "WAREVISION_SECRET_KEY"),
        ({"allowed_hosts": []}, "WAREVISION_ALLOWED_HOSTS"),
        ({"allowed_hosts": ["a.example.com", "*"]}, "WAREVISION_ALLOWED_HOSTS"),
        ({"database_url": ""}, "DATABASE_URL"),
        ({"broker_url": "filesystem://"}, "BROKER_URL"),
    ],
)
def test_production_settings_refuse(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        production(monkeypatch, **changes)
    _, *problems = str(error.value).splitlines()
    assert len(problems) == 1
    assert problems[0].startswith(named)


def test_production_names_every_problem_at_once(tmp_path: Path) -> None:
    # A fresh process, so that the variables are read as they are in earnest.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("WAREVISION_", "DATABASE"))}
    clean.pop("BROKER_URL", None)
    run = subprocess.run(
        [sys.executable, "-c", "import annotator.settings.prod"],
        cwd=ROOT,
        env={
            **clean,
            "WAREVISION_HOME": str(tmp_path),
            "WAREVISION_DEBUG": "1",
            "WAREVISION_ALLOWED_HOSTS": "*",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 1
    variables = ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")
    for name in (*(f"WAREVISION_{v}" for v in variables), "DATABASE_URL", "BROKER_URL"):
        assert f"\n{name} " in run.stderr
