"""A small server of the OpenAI protocol: checks what it is asked as a strict one does, and answers what a
model would, with the probabilities of its tokens. What goes wrong is named by the model asked for."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

KEY = "sk-for-tests"
READ = {
    "printed": ["ARLA", "清澜 500ml"],
    "category": "饮料",
    "spec": "500ML*6瓶/箱",
    "quantity": "两箱",
    "condition": "轻微压痕",
}
PROBABILITY = {"quantity": 0.9, "condition": 0.3}
"""Of the whole value; 0.99 of each other token."""


class Asked(Exception):
    """The request is not what the protocol wants."""


def tokens_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The JSON text of an answer in tokens of a few characters, each with its log-probability; a value
    whose probability is known is two tokens that share it. As with real tokenizers, a character may lie
    in two tokens: Chinese ones are split between their bytes."""
    pieces: list[tuple[bytes, float]] = []
    for n, (key, value) in enumerate(answer.items()):
        pieces.append((("{" if n == 0 else ", ").encode() + f'"{key}": '.encode(), 0.99))
        text = json.dumps(value, ensure_ascii=False).encode()
        p = math.sqrt(PROBABILITY.get(key, 0.99**2))
        pieces += [(text[:2], p), (text[2:], p)]
    pieces.append((b"}", 0.99))
    return [
        {
            "token": piece.decode(errors="replace"),
            "bytes": list(piece),
            "logprob": math.log(p),
            "top_logprobs": [],
        }
        for piece, p in pieces
    ]


def check(body: dict[str, Any]) -> Image.Image:
    """The picture of a request. Raises :class:`Asked`."""
    constraint = body["response_format"]
    schema = constraint["json_schema"]["schema"]
    if constraint["type"] != "json_schema" or constraint["json_schema"]["strict"] is not True:
        raise Asked("response_format")
    if set(schema["required"]) != set(schema["properties"]) or schema["additionalProperties"]:
        raise Asked("strict schemas require every property and no other")
    system, user = body["messages"]
    (part,) = user["content"]
    if (system["role"], user["role"], part["type"]) != ("system", "user", "image_url"):
        raise Asked("messages")
    kind, _, data = part["image_url"]["url"].partition(";base64,")
    if kind != "data:image/jpeg":
        raise Asked("image_url")
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


class VisionServer:
    """``url`` is the endpoint; ``requests`` are the bodies that it was sent, ``sizes`` their pictures'."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.sizes: list[tuple[int, int]] = []
        self.let_go = threading.Event()

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        model = body["model"]
        self.requests.append(body)
        self.sizes.append(check(body).size)
        if model == "no-logprobs" and "logprobs" in body:
            return 400, b'{"error": {"message": "logprobs are not supported"}}'
        if model == "slow":
            self.let_go.wait(60)
        if model == "busy":
            return 503, b"<html>busy</html>"
        if model == "not-json":
            return 200, b"<html>"
        if model == "endless":
            return 200, b'{"choices": "' + b"x" * (3 << 20) + b'"}'
        read: Any = dict(READ)
        if model == "liar":
            read |= {"quantity": "many", "condition": ["破损"], "spec": 7, "printed": "ARLA"}
        if model == "odd":
            read |= {"printed": ["a\0b\ud800", "\n"], "category": "\ud800饮料"}
        if model == "list":
            read = [1]
        text = json.dumps(read, ensure_ascii=model == "odd")
        if model == "no-text":
            text = "\ud800"
        if model == "chatty":
            text = f"Here you are: {text}"
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "length" if model == "cut" else "stop",
        }
        if body.get("logprobs") and isinstance(read, dict) and model not in ("odd", "no-text"):
            tokens = tokens_of(read)
            choice["logprobs"] = {"content": tokens[1:] if model == "lossy" else tokens}
        answer = {"id": "1", "object": "chat.completion", "model": model, "choices": [choice]}
        return 200, json.dumps(answer).encode()


@contextmanager
def vision_server() -> Iterator[VisionServer]:
    """A running server, ended with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content = 404, b"{}"
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                status, content = 401, b'{"error": {"message": "who are you"}}'
            elif self.path == "/v1/chat/completions":
                try:
                    status, content = served.answer(json.loads(body))
                except (Asked, KeyError, ValueError) as error:
                    status, content = 400, json.dumps({"error": {"message": repr(error)}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                pass

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = VisionServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        served.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
