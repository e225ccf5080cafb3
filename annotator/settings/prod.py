"""Production: refuses to start half-configured."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import REST_FRAMEWORK
from .env import env


def _refuse() -> None:
    """Raise with every problem at once, so that one restart mends them all."""
    problems = []
    if env.debug:
        problems.append("WAREVISION_DEBUG must not be set in production.")
    if len(env.secret_key) < 50 or len(set(env.secret_key)) < 10:
        problems.append(
            "WAREVISION_SECRET_KEY must be a random string of at least 50 characters; make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(64))'."
        )
    if "insecure" in env.secret_key.lower() or "change" in env.secret_key.lower():
        problems.append("WAREVISION_SECRET_KEY looks like a default; make a random one.")
    if not env.allowed_hosts or any("*" in host for host in env.allowed_hosts):
        problems.append("WAREVISION_ALLOWED_HOSTS must name the hosts served; '*' is refused.")
    if not env.database_url:
        problems.append(
            "DATABASE_URL must be set, for example postgres://user:password@db/warevision."
        )
    if env.broker_url.startswith("filesystem:"):
        problems.append("BROKER_URL must name a broker, for example redis://redis:6379/0.")
    if problems:
        raise ImproperlyConfigured("\n".join(["Production settings are refused:", *problems]))


_refuse()

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
REST_FRAMEWORK = {**REST_FRAMEWORK, "NUM_PROXIES": 1}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = 31_536_000
