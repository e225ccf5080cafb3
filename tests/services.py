"""Whether PostgreSQL and Redis answer. ``python -m tests.services`` exits with 77, loudly, when not;
in CI that is an error."""

from __future__ import annotations

import os
import sys

DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
BROKER_URL = os.environ.get("TEST_BROKER_URL", "redis://127.0.0.1:6379/13")


def absent() -> list[str]:
    """What does not answer, each with the reason."""
    import dj_database_url
    import psycopg2
    import redis

    missing = []
    config = dj_database_url.parse(DATABASE_URL)
    try:
        psycopg2.connect(
            host=config["HOST"],
            port=config["PORT"] or 5432,
            user=config["USER"],
            password=config["PASSWORD"],
            dbname=config["NAME"],
            connect_timeout=30,
        ).close()
    except psycopg2.OperationalError as error:
        missing.append(f"PostgreSQL at {config['HOST']}: {error}".strip())
    try:
        redis.from_url(BROKER_URL, socket_connect_timeout=30).ping()
    except redis.RedisError as error:
        missing.append(f"Redis at {BROKER_URL}: {error}")
    return missing


if __name__ == "__main__":
    missing = absent()
    for line in missing:
        print(f"SKIPPED: {line}")
    if missing:
        print("The tests on PostgreSQL and Redis did NOT run.")
        sys.exit(1 if os.environ.get("CI") else 77)
