"""How a request proves who sends it: a site's API token, or a browser session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.utils import timezone
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from .models import ApiToken, User
from .queries import user_with_roles, valid_token
from .services import digest_of


class Backend(ModelBackend):
    """Names and passwords; the person of a session comes with their roles."""

    def get_user(self, user_id: Any) -> User | None:  # type: ignore[override]
        user = user_with_roles(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session with CSRF; announces itself, so that a missing sign-in is a 401."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Token <value>``. ``request.auth`` is then the :class:`ApiToken`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.headers.get("Authorization", "")
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "token":
            return None
        token = valid_token(digest_of(value.strip()))
        if token is None:
            raise exceptions.AuthenticationFailed()
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"
