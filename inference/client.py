"""The recognizer over HTTP, as the platform uses it by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from inference.contracts import (
    Description,
    Failure,
    OtherDescriber,
    Recognition,
    RecognizerError,
    SiteRef,
    StaleMemory,
)
from inference.logs import HEADER, REQUEST_ID

_CONNECT_TIMEOUT_S = 5.0
_UNREACHABLE_RETRY_S = 2.0
_ON_THE_WAY = 0.95
"""Part of the time limit that the server may use; the rest is for the way there and back."""


class HttpRecognizer:
    """Implements :class:`inference.contracts.Recognizer` against ``python -m inference serve``.

    Thread-safe; connections are reused. ``timeout_s`` bounds one request, waiting in the server's
    queue included; the server is told, so that it does no work for a caller who has gone. Requests
    carry the id of the request that they are made for. It does not retry: callers know what else
    they could do, and every :class:`RecognizerError` says in ``retry_after_s`` whether and when
    trying again makes sense.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 150.0, connections: int = 8) -> None:
        self._deadline_ms = str(int(timeout_s * 1000 * _ON_THE_WAY))
        self._client = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_TIMEOUT_S, timeout_s)),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False
    ) -> list[Description | Failure]:
        """Describe encoded pictures, in order. Raises :class:`RecognizerError`."""
        if not images:
            return []
        answer = self._post(
            "/v1/describe",
            files=[
                ("images", (str(i), image, "application/octet-stream"))
                for i, image in enumerate(images)
            ],
            headers={"X-Priority": "urgent" if urgent else "normal"},
        )
        try:
            results = [described(item) for item in answer["results"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RecognizerError(
                f"the recognizer's answer is not understood: {error!r}"
            ) from error
        if len(results) != len(images):
            raise RecognizerError(f"{len(images)} pictures sent, {len(results)} answers received")
        return results

    def rank(self, site: SiteRef, descriptions: Sequence[Description]) -> list[Recognition]:
        """Rank the site's SKUs for each description, in order.

        Raises :class:`StaleMemory` or :class:`RecognizerError`.
        """
        if not descriptions:
            return []
        answer = self._post(
            "/v1/rank",
            json={
                "site": site.site,
                "number": site.number,
                "descriptions": [d.to_json() for d in descriptions],
            },
        )
        try:
            return [Recognition.from_json(item) for item in answer["recognitions"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RecognizerError(
                f"the recognizer's answer is not understood: {error!r}"
            ) from error

    def ready(self) -> bool:
        """Whether the server answers that it is ready."""
        try:
            return self._client.get("/readyz", timeout=_CONNECT_TIMEOUT_S).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
        headers = {"X-Deadline-Ms": self._deadline_ms, **(headers or {})}
        if request_id := REQUEST_ID.get():
            headers[HEADER] = request_id
        try:
            response = self._client.post(path, headers=headers, **request)
        except httpx.TimeoutException as error:
            raise RecognizerError(
                f"the recognizer did not answer in time: {error}",
                retry_after_s=_UNREACHABLE_RETRY_S,
            ) from error
        except httpx.TransportError as error:
            raise RecognizerError(
                f"the recognizer cannot be reached: {error}", retry_after_s=_UNREACHABLE_RETRY_S
            ) from error
        if response.is_success:
            try:
                return response.json()
            except ValueError as error:
                raise RecognizerError("the recognizer's answer is not JSON") from error
        raise _error(response)


def described(item: dict[str, Any]) -> Description | Failure:
    """One result of ``POST /v1/describe``."""
    if "failure" in item:
        return Failure(**item["failure"])
    return Description.from_json(item["description"])


def _error(response: httpx.Response) -> RecognizerError:
    try:
        problem = response.json()
        kind, detail = str(problem["type"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind, detail = "", response.text[:200]
    text = f"the recognizer answered {response.status_code}: {detail}"
    retry_after_s = _seconds(response.headers.get("Retry-After", ""))
    if retry_after_s is None and response.status_code in (429, 502, 503, 504):
        retry_after_s = _UNREACHABLE_RETRY_S
    if kind == "stale_memory":
        return StaleMemory(text, retry_after_s=retry_after_s)
    if kind == "other_describer":
        return OtherDescriber(text)
    return RecognizerError(text, retry_after_s=retry_after_s)


def _seconds(value: str) -> float | None:
    # the other form, an HTTP date, is not used by the server
    return float(value) if value.strip().isdigit() else None
