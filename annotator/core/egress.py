"""The one client that fetches addresses which people gave. It reaches the public internet and what
the operator allows, nothing inside: a name is resolved here, every address it has is judged, and
the connection goes to the very address that was judged, at each redirect anew."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

MAX_REDIRECTS = 5
TIMEOUT_S = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class Refused(Exception):
    """An address that is not fetched, or did not give what was asked: a ``code`` and parameters."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def resolve(host: str, port: int) -> list[str]:
    """Every address of ``host``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Whether ``address`` lies in the public internet, also when it wraps another."""
    if isinstance(address, ipaddress.IPv6Address):
        inner: Any = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


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
            network_backend=_Guarded(list(allow), resolve),
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


class _Guarded(httpcore.NetworkBackend):
    """Opens connections to addresses that were judged, and to no others."""

    def __init__(self, allow: Sequence[str], resolve: Resolve) -> None:
        self._resolve = resolve
        self._backend = httpcore.SyncBackend()
        self._hosts: set[str] = set()
        self._networks = []
        for entry in allow:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._hosts.add(entry.lower().rstrip("."))

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError) as error:
            raise Refused("url_unknown_host", host=host) from error
        # One address inside is enough to refuse: no public host has one.
        for address in addresses:
            if not self._may_reach(host, ipaddress.ip_address(address.split("%")[0])):
                raise Refused("url_not_public", host=host, address=address)
        failure: Exception = Refused("url_unknown_host", host=host)
        for address in addresses:
            try:
                return self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise Refused("url_invalid", detail="unix")

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)

    def _may_reach(self, host: str, address: Address) -> bool:
        if host.lower().rstrip(".") in self._hosts:
            return True
        mapped = getattr(address, "ipv4_mapped", None) or address
        if any(mapped in network for network in self._networks):
            return True
        return is_public(address)
