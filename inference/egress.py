"""Connections that go only where they may: to the public internet and to what the operator allows,
nothing inside. A name is resolved here, every address it has is judged, and the connection goes to the
very address that was judged."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class Refused(Exception):
    """An address that is not asked, or did not give what was asked: a ``code`` and parameters."""

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


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections to addresses that were judged, and to no others. ``allow`` names hosts,
    addresses and networks (CIDR) that may be reached although they are not public. Raises
    :class:`Refused`."""

    def __init__(self, allow: Iterable[str], resolve: Resolve = resolve) -> None:
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
