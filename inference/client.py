"""The recognizer over HTTP, as the platform uses it by default."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from inference.contracts import (
    Description,
    Failure,
    Found,
    ModelRefused,
    OtherDescriber,
    Recognition,
    RecognizerError,
    Sighting,
    SiteRef,
    StaleMemory,
)
from inference.logs import HEADER, REQUEST_ID

T = TypeVar("T")
_CONNECT_TIMEOUT_S = 5.0
_UNREACHABLE_RETRY_S = 2.0
_ON_THE_WAY = 0.95
"""Part of the time limit that the server may use; the rest is for the way there and back."""
_LEAST_S = 0.05
"""With less time left nobody is asked any more."""


class HttpRecognizer:
    """Implements :class:`inference.contracts.Recognizer` against ``python -m inference serve``.

    Thread-safe; connections are reused. ``timeout_s`` bounds one request, waiting in the server's
    queue included; the server is told, so that it does no work for a caller who has gone. Requests
    carry the id of the request that they are made for.

    ``base_url`` may name several replicas. The same picture, and the same site, goes to the same one
    first, which has it in memory; one that is away, busy or behind the number that is asked for sends
    the request on to the next, while there is time. No request is sent to the same replica twice:
    callers know what else they could do, and every :class:`RecognizerError` says in
    ``retry_after_s`` whether and when trying again makes sense.
    """

    def __init__(
        self, base_url: str | Sequence[str], *, timeout_s: float = 150.0, connections: int = 8
    ) -> None:
        urls = [base_url] if isinstance(base_url, str) else list(base_url)
        if not urls:
            raise ValueError("no address of a recognizer")
        self._timeout_s = timeout_s
        self._replicas = [
            httpx.Client(
                base_url=url,
                timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_TIMEOUT_S, timeout_s)),
                limits=httpx.Limits(
                    max_connections=connections, max_keepalive_connections=connections
                ),
            )
            for url in urls
        ]

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        """Describe encoded pictures, in order. Raises :class:`RecognizerError`."""
        return self._look("/v1/describe", images, described, urgent, model)

    def see(
        self, images: Sequence[bytes], *, model: str, urgent: bool = False
    ) -> list[Sighting | Failure]:
        """What ``model`` sees in encoded pictures, in order. Raises :class:`RecognizerError`."""
        return self._look("/v1/see", images, _seen, urgent, model)

    def _look(
        self,
        path: str,
        images: Sequence[bytes],
        understand: Callable[[dict[str, Any]], T],
        urgent: bool,
        model: str,
    ) -> list[T]:
        if not images:
            return []
        answer = self._post(
            f"{path}?model={model}" if model else path,
            about=images[0],
            files=[
                ("images", (str(i), image, "application/octet-stream"))
                for i, image in enumerate(images)
            ],
            headers={"X-Priority": "urgent" if urgent else "normal"},
        )
        with _understood():
            results = [understand(item) for item in answer["results"]]
        if len(results) != len(images):
            raise RecognizerError(f"{len(images)} pictures sent, {len(results)} answers received")
        return results

    def prepare(self, model: str) -> None:
        """Have every replica that answers load ``model``; one that is away loads it when it is asked.
        Raises :class:`ModelRefused` where one refuses, and :class:`RecognizerError` where none answers."""
        failures: list[RecognizerError] = []
        for replica in self._replicas:
            try:
                _ask(replica, "/v1/prepare", self._timeout_s, {}, {"json": {"model": model}})
            except ModelRefused:
                raise
            except RecognizerError as error:
                failures.append(error)
        if len(failures) == len(self._replicas):
            raise failures[0]

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        """Rank the site's SKUs for each description, in order.

        Raises :class:`StaleMemory` or :class:`RecognizerError`.
        """
        if not descriptions:
            return []
        answer = self._post(
            "/v1/rank",
            about=site.site.encode(),
            json={
                "site": site.site,
                "number": site.number,
                "descriptions": [d.to_json() for d in descriptions],
                "model": model,
            },
        )
        with _understood():
            return [Recognition.from_json(item) for item in answer["recognitions"]]

    def search(self, site: SiteRef, query: Description | str, *, count: int) -> Found:
        """What is known that is like a picture, or that a text is about. Raises as :meth:`rank`."""
        asked = {"text": query} if isinstance(query, str) else {"description": query.to_json()}
        answer = self._post(
            "/v1/search",
            about=site.site.encode(),
            json={"site": site.site, "number": site.number, "count": count, **asked},
        )
        with _understood():
            return Found.from_json(answer)

    def ready(self) -> bool:
        """Whether a server answers that it is ready."""
        return any(map(_ready, self._replicas))

    def close(self) -> None:
        """Close the connections."""
        for replica in self._replicas:
            replica.close()

    def _post(
        self, path: str, *, about: bytes, headers: Mapping[str, str] | None = None, **request: Any
    ) -> Any:
        """The first answer of a replica, in the order of their turns for what is asked ``about``. When
        none has one, an error that passes, where there is one. What every replica would say of the
        request ends the search; that a description is another version's, or a model not there, is not
        such: while replicas are upgraded, one of them made it."""
        deadline = time.monotonic() + self._timeout_s
        first = zlib.crc32(about) % len(self._replicas)
        failure: RecognizerError | None = None
        for replica in (*self._replicas[first:], *self._replicas[:first]):
            left_s = deadline - time.monotonic()
            if failure is not None and left_s < _LEAST_S:
                break
            try:
                return _ask(replica, path, left_s, headers or {}, request)
            except RecognizerError as error:
                passes_on = isinstance(error, OtherDescriber | ModelRefused)
                if error.retry_after_s is None and not passes_on:
                    raise
                if failure is None or failure.retry_after_s is None:
                    failure = error
        assert failure is not None
        raise failure


def _ready(replica: httpx.Client) -> bool:
    try:
        return replica.get("/readyz", timeout=_CONNECT_TIMEOUT_S).status_code == 200
    except httpx.HTTPError:
        return False


def _ask(
    replica: httpx.Client, path: str, limit_s: float, headers: Mapping[str, str], request: Any
) -> Any:
    """One replica's answer. Raises :class:`RecognizerError`."""
    headers = {"X-Deadline-Ms": str(int(limit_s * 1000 * _ON_THE_WAY)), **headers}
    if request_id := REQUEST_ID.get():
        headers[HEADER] = request_id
    timeout = httpx.Timeout(limit_s, connect=min(_CONNECT_TIMEOUT_S, limit_s))
    try:
        response = replica.post(path, headers=headers, timeout=timeout, **request)
    except httpx.TimeoutException as error:
        raise RecognizerError(
            f"the recognizer did not answer in time: {error}", retry_after_s=_UNREACHABLE_RETRY_S
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


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise RecognizerError(f"the recognizer's answer is not understood: {error!r}") from error


def described(item: dict[str, Any]) -> Description | Failure:
    """One result of ``POST /v1/describe``."""
    if "failure" in item:
        return Failure(**item["failure"])
    return Description.from_json(item["description"])


def _seen(item: dict[str, Any]) -> Sighting | Failure:
    if "failure" in item:
        return Failure(**item["failure"])
    return Sighting.from_json(item["sighting"])


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
    if kind == "model_refused":
        return ModelRefused(detail)
    return RecognizerError(text, retry_after_s=retry_after_s)


def _seconds(value: str) -> float | None:
    # the other form, an HTTP date, is not used by the server
    return float(value) if value.strip().isdigit() else None
