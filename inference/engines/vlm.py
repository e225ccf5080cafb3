"""A vision-language model behind an OpenAI-compatible endpoint (vLLM, SGLang, llama.cpp and the like).

It is asked once a picture, whatever the site, what it reads there: printed words and what can be said
of spec, quantity and condition, in JSON that a schema constrains. The answer is kept with the picture,
so that ranking and making an answer again ask nobody. Values count only in the caption language; their
confidence is the probability of the very tokens, where the endpoint tells it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpcore
import httpx
from PIL import Image

from inference.captions import DEFAULT_SCHEMA, GRADES, FieldError, normalise_value
from inference.egress import GuardedBackend, Refused, Resolve, resolve
from inference.pictures import PictureError, decode

FIELDS: Final = ("category", "spec", "quantity", "condition")
MAX_ANSWER_BYTES: Final = 1 << 20
MAX_TOKENS: Final = 800
MAX_LINES: Final = 40
MAX_LINE: Final = 80
_CONNECT_S: Final = 5.0
_JPEG_QUALITY: Final = 90

PROMPT: Final = (
    "You look at one photo of goods in a warehouse. Answer with JSON only. "
    "printed: every line of text that you can read on the goods, as printed, one item a line; "
    "invent nothing. "
    "category: what kind of goods it is, in a few Chinese characters. "
    "spec: size and packing as printed, like 500ml×6瓶/箱. "
    "quantity: how many units stand in the photo, with the unit, like 2箱. "
    f"condition: one of {'、'.join(GRADES)}. "
    "Use null for whatever cannot be seen."
)
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["printed", *FIELDS],
    "properties": {
        "printed": {
            "type": "array",
            "maxItems": MAX_LINES,
            "items": {"type": "string", "maxLength": MAX_LINE},
        },
        "category": {"type": ["string", "null"], "maxLength": 40},
        "spec": {"type": ["string", "null"], "maxLength": 60},
        "quantity": {"type": ["string", "null"], "maxLength": 20},
        "condition": {"enum": [*GRADES, None]},
    },
}


class VlmError(Exception):
    """The endpoint gave no answer that can be used; says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """A value in canonical form; ``confidence`` in 0…1, None where the endpoint does not tell."""

    value: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class VlmReading:
    """What the model read in one picture."""

    lines: tuple[Read, ...] = ()
    fields: Mapping[str, Read] = field(default_factory=dict)

    def pack(self) -> bytes:
        """As bytes, to be kept with the picture."""
        pairs = {key: [one.value, one.confidence] for key, one in self.fields.items()}
        lines = [[one.value, one.confidence] for one in self.lines]
        return json.dumps({"lines": lines, "fields": pairs}, ensure_ascii=False).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """What :meth:`pack` made. Raises ValueError for other bytes."""
        try:
            plain = json.loads(data)
            return cls(
                lines=tuple(Read(*pair) for pair in plain["lines"]),
                fields={key: Read(*pair) for key, pair in plain["fields"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what a vision model read: {error!r}") from error


def name_of(model: str) -> str:
    """A name that changes with anything that we send besides the picture."""
    asked = json.dumps([model, PROMPT, SCHEMA], ensure_ascii=False)
    return f"vlm-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"


class VisionEndpoint:
    """``base_url`` as the OpenAI client has it, ``…/v1``. Thread-safe; redirects are not followed. What is
    not in the public internet is asked only where ``allow`` names it (hosts, addresses, networks).
    ``limit_s`` bounds a call, ``max_px`` the longer side of the picture that is sent."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "",
        allow: Iterable[str] = (),
        limit_s: float = 20.0,
        max_px: int = 1024,
        connections: int = 8,
        resolve: Resolve = resolve,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        parsed = httpx.URL(self._url)
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            raise ValueError(f"not the address of an endpoint: {base_url!r}")
        self.model = model
        self._headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "Host": parsed.netloc.decode("ascii"),
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._limit_s = limit_s
        self._max_px = max_px
        self._tells_logprobs = True
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=GuardedBackend(allow, resolve),
            max_connections=connections,
        )

    def read(self, image: bytes, *, max_pixels: int) -> VlmReading:
        """What the model reads in an encoded picture. Raises :class:`VlmError`."""
        body = self._body(self._picture_url(image, max_pixels))
        if self._tells_logprobs:
            try:
                return _reading(self._post({**body, "logprobs": True}))
            except _NotUnderstood:
                # Some servers refuse what they do not know: then confidence stays unknown.
                reading = _reading(self._post(body))
                self._tells_logprobs = False
                return reading
        return _reading(self._post(body))

    def close(self) -> None:
        """Close kept connections."""
        self._pool.close()

    def _picture_url(self, image: bytes, max_pixels: int) -> str:
        try:
            picture = decode(image, max_pixels=max_pixels)
        except PictureError as error:
            raise VlmError(str(error)) from error
        picture.thumbnail((self._max_px, self._max_px), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=_JPEG_QUALITY)
        return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"

    def _body(self, picture_url: str) -> dict[str, Any]:
        return {
            "model": self.model,
            "temperature": 0,
            "seed": 0,
            "max_tokens": MAX_TOKENS,
            "messages": [
                {"role": "system", "content": PROMPT},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": picture_url}}],
                },
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "reading", "strict": True, "schema": SCHEMA},
            },
        }

    def _post(self, body: Mapping[str, Any]) -> Any:
        deadline = time.monotonic() + self._limit_s
        limits = dict.fromkeys(("read", "write", "pool"), self._limit_s)
        timeout = {**limits, "connect": min(_CONNECT_S, self._limit_s)}
        try:
            with self._pool.stream(
                "POST",
                self._url,
                headers=self._headers,
                content=json.dumps(body).encode(),
                extensions={"timeout": timeout},
            ) as answer:
                content = bytearray()
                for piece in answer.iter_stream():
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        raise VlmError("the endpoint's answer is too long")
                    if time.monotonic() > deadline:
                        raise TimeoutError
        except Refused as error:
            raise VlmError(f"the endpoint may not be asked: {error.code} {error.params}") from error
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise VlmError("the endpoint did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise VlmError(f"the endpoint cannot be reached: {error}") from error
        if answer.status in (400, 422):
            raise _NotUnderstood(f"the endpoint answered {answer.status}: {bytes(content[:200])!r}")
        if answer.status != 200:
            raise VlmError(f"the endpoint answered {answer.status}")
        try:
            return json.loads(content)
        except ValueError as error:
            raise VlmError("the endpoint's answer is not JSON") from error


class _NotUnderstood(VlmError):
    """The endpoint refuses the request as such."""


def _reading(answer: Any) -> VlmReading:
    """The reading in the answer of ``/chat/completions``. Raises :class:`VlmError`."""
    try:
        choice = answer["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
        text.encode()  # what is no text has no tokens either
        if finish == "length":
            raise VlmError("the model's answer was cut off")
        values = json.loads(text)
        if not isinstance(values, dict):
            raise VlmError("the model's answer is not an object")
        printed = values.get("printed")
        lines = [_plain(one) for one in printed if isinstance(one, str)] if printed else []
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise VlmError(f"the model's answer is not understood: {error!r}") from error
    tokens = _tokens(choice, text)
    spans = _spans(text)
    likely = _mean_probability(tokens, spans.get("printed"))
    return VlmReading(
        lines=tuple(Read(line[:MAX_LINE], likely) for line in lines[:MAX_LINES] if line.strip()),
        fields={
            key: Read(value, _probability(tokens, spans.get(key)))
            for key in FIELDS
            if (value := _canonical(key, values.get(key))) is not None
        },
    )


def _canonical(key: str, value: Any) -> str | None:
    """The value in the caption language; None for what is none there."""
    schema_field = DEFAULT_SCHEMA.get(key)
    if schema_field is None or not isinstance(value, str) or not value.strip():
        return None
    normal = normalise_value(schema_field, _plain(value))
    return None if isinstance(normal, FieldError) else normal


def _plain(text: str) -> str:
    """``text`` without what cannot be printed or kept."""
    return "".join(c for c in text if c.isprintable())


# --- what the tokens tell --------------------------------------------------------------------

Tokens = Sequence[tuple[int, int, float]]
"""Begin and end in bytes of the answer's text, and the log-probability, of each token."""
Span = tuple[int, int]


def _tokens(choice: Mapping[str, Any], text: str) -> Tokens:
    """The tokens of an answer; none where the endpoint does not tell all of them."""
    told = choice.get("logprobs") or {}
    tokens, at = [], 0
    joined = b""
    try:
        for entry in told.get("content") or ():
            piece = bytes(entry["bytes"]) if entry.get("bytes") else entry["token"].encode()
            tokens.append((at, at + len(piece), float(entry["logprob"])))
            at += len(piece)
            joined += piece
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()
    return tokens if joined.startswith(text.encode()) else ()


def _spans(text: str) -> dict[str, Span]:
    """Where the value of each key of a JSON object lies in its text, in bytes."""
    decoder, spans = json.JSONDecoder(), {}
    at = _skip(text, text.index("{") + 1)
    while text[at] == '"':
        key, at = decoder.raw_decode(text, at)
        begin = _skip(text, _skip(text, at) + 1)
        _, end = decoder.raw_decode(text, begin)
        spans[key] = (len(text[:begin].encode()), len(text[:end].encode()))
        at = _skip(text, end)
        if text[at] != ",":
            break
        at = _skip(text, at + 1)
    return spans


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _within(tokens: Tokens, span: Span | None) -> list[float]:
    if span is None:
        return []
    return [log_p for begin, end, log_p in tokens if begin < span[1] and end > span[0]]


def _probability(tokens: Tokens, span: Span | None) -> float | None:
    """That of all tokens of a value together."""
    found = _within(tokens, span)
    return round(math.exp(min(0.0, sum(found))), 4) if found else None


def _mean_probability(tokens: Tokens, span: Span | None) -> float | None:
    """The geometric mean of the tokens of a value."""
    found = _within(tokens, span)
    return round(math.exp(min(0.0, sum(found) / len(found))), 4) if found else None
