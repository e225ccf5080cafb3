"""The one client that fetches addresses which people gave. It goes only where it may
(:mod:`inference.egress`), at each redirect anew."""

from __future__ import annotations

import time
from collections.abc import Iterable

import httpcore
import httpx

from inference.egress import GuardedBackend, Refused, Resolve, is_public, resolve

MAX_REDIRECTS = 5
TIMEOUT_S = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)
__all__ = ["Client", "Refused", "Resolve", "is_public", "resolve"]


class Client:
    """Fetches files over HTTP. ``allow`` names hosts, addresses and networks (CIDR) that may be
    fetched from although they are not public."""

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        max_bytes: int,
        limit_s: float = 60.0,
        resolve: Resolve = resolve,
    ) -> None:
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=GuardedBackend(allow, resolve),
            max_connections=8,
            keepalive_expiry=5.0,
        )

    def fetch(self, url: str) -> bytes:
        """The body at ``url``. Raises :class:`Refused`."""
        deadline = time.monotonic() + self._limit_s
        try:
            for _ in range(MAX_REDIRECTS + 1):
                body, url = self._get(url, deadline)
                if body is not None:
                    return body
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise Refused("url_timeout", seconds=round(self._limit_s)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Refused("url_failed", detail=str(error)[:120]) from error
        raise Refused("url_redirects", limit=MAX_REDIRECTS)

    def _get(self, url: str, deadline: float) -> tuple[bytes | None, str]:
        """The body, or where to go on."""
        parsed = _parsed(url)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_S)
        headers: dict[bytes | str, bytes | str] = {
            "Host": parsed.netloc.decode("ascii"),
            "User-Agent": "WareVision",
            "Accept": "image/*",
            "Accept-Encoding": "identity",
        }
        target = str(parsed.copy_with(fragment=None))
        with self._pool.stream(
            "GET", target, headers=headers, extensions={"timeout": timeout}
        ) as answer:
            found = {name.lower(): value for name, value in answer.headers}
            if answer.status in _REDIRECTS and b"location" in found:
                return None, str(parsed.join(found[b"location"].decode("latin-1")))
            if answer.status != 200:
                raise Refused("url_status", status=answer.status)
            length = found.get(b"content-length", b"0")
            body = bytearray()
            self._check_size(int(length) if length.isdigit() else 0)
            for piece in answer.iter_stream():
                body += piece
                self._check_size(len(body))
                if time.monotonic() > deadline:
                    raise TimeoutError
            return bytes(body), ""

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            limit_mb = self._max_bytes >> 20
            raise Refused("file_too_large", size_mb=size >> 20, limit_mb=limit_mb)

    def close(self) -> None:
        """Close kept connections."""
        self._pool.close()


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Refused("url_invalid", detail=str(error)[:120]) from error
    if parsed.scheme not in ("http", "https"):
        raise Refused("url_invalid", detail=f"{parsed.scheme or '?'}://")
    if not parsed.host or parsed.userinfo:
        raise Refused("url_invalid", detail="host")
    return parsed
