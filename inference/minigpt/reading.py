"""Reading pictures with a trained MiniGPT: seen once, captioned for any catalog. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError

from inference.captions import GRADES, Spec, parse_spec
from inference.contracts import PACKAGE_TYPES
from inference.engines import Engine, Kind, open_engine
from inference.engines.base import EngineError
from inference.engines.feeds import follow
from inference.evidence.fusion import log_softmax

from .alternatives import Float32Array, Tree, distinct, weigh
from .bundle import verify
from .familiar import Familiar
from .heard import Heard
from .pixels import to_pixels
from .sight import MAX_STACK, Sight
from .vocabulary import END, UNKNOWN, Vocabulary
from .writing import write

FloatArray = NDArray[np.float64]

MOST_UNITS = 48
"""The largest quantity that is weighed."""
MOST_CODES = 256
"""Codes that are weighed at once; a tree of them costs one pass of the decoder."""
FAVOURITES = 12
"""Codes that the decoder weighs where the class head has chosen them."""
OPTIONS = 5
MOST_LETTERS = 40
"""The longest text that is written freely."""
WEIGHED = ("quantity", "condition")
"""Fields whose values are weighed once the SKU is known."""
COPIED = ("sku", "spec")
"""Fields that are copied of what is heard, if anything is: what nobody read is not known."""
ATTRIBUTES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "package_type": PACKAGE_TYPES,
    "stack_level": (*(str(level) for level in range(1, MAX_STACK)), None),
}
"""What heads tell apart that is in no caption. Of the highest stacks they do not tell how high they are."""
_LEAST_LOG_P = -12.0
"""Of a number of units: nothing that was counted rules a quantity out."""
_DECODER_ALONE: Final[Mapping[str, float]] = {"decoder": 1.0}


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of a model besides its graphs.

    ``temperatures`` divide the log-probabilities of a field's alternatives, fitted on photos that
    the model had not seen; a field without one is not to be proposed, nor is an attribute without one of
    ``attribute_temperatures``. ``sku_weights`` are those of what the decoder and the class head give each
    SKU, ``quantity_weights`` of what the decoder and the counted units give each quantity. ``classes``
    are the SKU codes that it was taught, ``units`` those that it counted in.
    """

    side_px: int
    looks: tuple[float, ...]
    queries: int
    max_tokens: int = 256
    classes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    temperatures: Mapping[str, float] = field(default_factory=dict)
    attribute_temperatures: Mapping[str, float] = field(default_factory=dict)
    sku_weights: Mapping[str, float] = field(default_factory=lambda: {"decoder": 0.5, "head": 0.5})
    quantity_weights: Mapping[str, float] = field(default_factory=lambda: dict(_DECODER_ALONE))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Those of a model's folder. Raises :class:`EngineError` when it is not complete."""
        try:
            config = json.loads((folder / "model" / "config.json").read_text("utf-8"))
            calibration = json.loads((folder / "calibration.json").read_text("utf-8"))
            return cls(
                side_px=config["side_px"],
                looks=tuple(config["looks"]),
                queries=config["queries"],
                max_tokens=config["max_tokens"],
                classes=tuple(config["classes"]),
                units=tuple(calibration["units"]),
                temperatures=calibration["temperatures"],
                attribute_temperatures=calibration.get("attribute_temperatures", {}),
                sku_weights=calibration["sku_weights"],
                quantity_weights=calibration.get("quantity_weights") or _DECODER_ALONE,
            )
        except (OSError, KeyError, ValueError) as error:
            raise EngineError(f"{folder} is no complete model: {error}") from error


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that could stand in a field, None for 看不清."""

    value: str | None
    p: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A caption: the best ``options`` of each field, and how much each cell of the looks had to do
    with it, ``maps`` [K, N] that sum to 1."""

    options: Mapping[str, tuple[Option, ...]]
    maps: Mapping[str, Float32Array]


class Reader:
    """A model at work. Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        vocabulary: Vocabulary,
        facts: Facts,
        name: str,
        familiar: Familiar | None = None,
    ) -> None:
        self.engine = engine
        self.vocabulary = vocabulary
        self.facts = facts
        self.name = name
        self._familiar = familiar

    @classmethod
    def open(cls, folder: Path, kind: Kind = "auto", *, threads: int = 1) -> Self:
        """The model of ``folder``. Raises :class:`EngineError` when it is not complete, or not what was
        sealed."""
        verify(folder)
        facts = Facts.read(folder)
        try:
            text = (folder / "vocabulary.json").read_text("utf-8")
            vocabulary = Vocabulary.from_json(json.loads(text))
            familiar = Familiar.load(folder)
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise EngineError(f"{folder} is no complete model: {error}") from error
        engine = open_engine(folder, kind, threads=threads)
        return cls(engine, vocabulary, facts, name_of(folder), familiar)

    def see(self, pictures: Sequence[Image.Image]) -> list[Sight]:
        """What is in pictures (RGB)."""
        pixels = to_pixels(pictures, self.facts.side_px, self.facts.looks)
        seen = self.engine.encode(pixels)
        return [
            Sight(
                seen.outputs[row],
                seen.gaze[row],
                {name: logits[row] for name, logits in seen.heads.items()},
            )
            for row in range(len(pictures))
        ]

    def is_familiar(self, sight: Sight) -> bool:
        """Whether the picture is of the kind that the model was taught by; what it says of others is not
        to be proposed."""
        return self._familiar is None or sight in self._familiar

    def attributes(self, sight: Sight) -> dict[str, Option]:
        """What the packs most probably are besides the caption (see :data:`ATTRIBUTES`)."""
        found = {}
        for name, values in ATTRIBUTES.items():
            warmth = self.facts.attribute_temperatures.get(name)
            if warmth is None or name not in sight.heads:
                continue
            p = np.exp(log_softmax(sight.heads[name].astype(np.float64) / warmth))
            best = int(p.argmax())
            if (value := values[best]) is not None:
                found[name] = Option(value, float(p[best]))
        return found

    def sku_log_p(self, sight: Sight, codes: Sequence[str]) -> FloatArray:
        """Log-probabilities [S] of ``codes``, at most :data:`MOST_CODES`: a logarithmic pool of what
        the decoder gives each written out and what the class head gives it, where it was taught
        them all."""
        weights = self.facts.sku_weights
        parts = self.sku_parts(sight, codes)
        return log_softmax(np.sum([weights[name] * log_p for name, log_p in parts.items()], axis=0))

    def sku_parts(self, sight: Sight, codes: Sequence[str]) -> dict[str, FloatArray]:
        """The log-probabilities [S] of ``codes`` by ``decoder`` and, where it was taught them all, by
        ``head``. Then the decoder weighs the head's favourites alone, and no other beats them."""
        place_of = {code: n for n, code in enumerate(self.facts.classes)}
        if "sku" not in sight.heads or any(code not in place_of for code in codes):
            return {"decoder": self._written_log_p(sight, codes)}
        head = log_softmax(
            sight.heads["sku"][[place_of[code] for code in codes]].astype(np.float64)
        )
        favourites = np.argsort(-head, kind="stable")[:FAVOURITES]
        written = self._written_log_p(sight, [codes[n] for n in favourites])
        decoder = np.full(len(codes), written.min())
        decoder[favourites] = written
        return {"decoder": log_softmax(decoder), "head": head}

    def _written_log_p(self, sight: Sight, codes: Sequence[str]) -> FloatArray:
        close = self.vocabulary.header("category")
        written = distinct([[*self.vocabulary.encode(code), close] for code in codes])
        tree = Tree.of([self.vocabulary.header("sku")], written)
        return log_softmax(weigh(self.engine, self._begin(sight), tree))

    def read(self, sight: Sight, settled: Mapping[str, str], unit: str) -> Reading:
        """The caption of a picture whose SKU is known: ``settled`` are the fields that hang on it,
        ``unit`` is what it is counted in, empty where that is not known."""
        past = self._begin(sight)
        looks = np.zeros((0, self.facts.queries), np.float32)
        options: dict[str, tuple[Option, ...]] = {}
        places: dict[str, range] = {}
        tokens: list[int] = []
        for key in self.vocabulary.fields:
            if key in settled:
                written = self._written(key, settled[key])
            elif key in self.facts.temperatures:
                past, looks = self._told(tokens, past, looks)
                values = self._alternatives(key, unit)
                log_p = weigh(self.engine, past, self._tree([], key, values, len(tokens)))
                p = self._weighed(key, values, log_p, sight)
                order = np.argsort(-p, kind="stable")[:OPTIONS]
                options[key] = tuple(Option(values[n], float(p[n])) for n in order)
                written = self._written(key, values[order[0]])
            else:  # it was not taught, and what follows hangs on it
                break
            places[key] = range(len(tokens), len(tokens) + len(written))
            tokens += written
        _, looks = self._told(tokens, past, looks)
        return Reading(
            options, {key: self._map(looks[list(n)], sight) for key, n in places.items()}
        )

    def _told(
        self, tokens: Sequence[int], past: Float32Array, looks: Float32Array
    ) -> tuple[Float32Array, Float32Array]:
        """``past`` and ``looks`` [N, Q] once the decoder was told all of a caption's ``tokens``, of which it knows
        N."""
        if new := tokens[len(looks) :]:
            given = follow(np.asarray([new], np.int64), past, len(looks))
            _, past, seen = self.engine.step(**given)
            looks = np.concatenate([looks, seen[0]])
        return past, looks

    def write(self, sight: Sight, heard: Heard, unit: str = "") -> dict[str, tuple[Option, ...]]:
        """The caption of a picture whose SKU is not in the catalog: the best options of each field, free
        text written a character at a time. Code and spec are words of what is ``heard`` or unknown; where
        nothing is, they are written like the others. A spec is one that can be read."""
        past = self._begin(sight)
        if told := heard.tokens(self.vocabulary):
            given = follow(np.asarray([told], np.int64), past, self.facts.max_tokens // 2)
            _, past, _ = self.engine.step(**given)
        options: dict[str, tuple[Option, ...]] = {}
        place = 0
        for key in self.vocabulary.fields:
            header, close = self.vocabulary.header(key), self._after(key)
            words = [w for w in heard.words() if self._may_stand(key, w)] if key in COPIED else []
            if key in WEIGHED or words:
                values = [*words, None] if words else self._alternatives(key, unit)
                log_p = weigh(self.engine, past, self._tree([], key, values, place))
                p = self._weighed(key, values, log_p, sight)
                order = np.argsort(-p, kind="stable")[:OPTIONS]
                found = [Option(values[n], float(p[n])) for n in order]
            else:
                texts = write(
                    self.engine, past, header, place, close, self.vocabulary.letters, MOST_LETTERS
                )
                found = [
                    Option(value, float(np.exp(one.log_p)))
                    for one in texts
                    if self._may_stand(key, value := self.vocabulary.value(one.tokens))
                ]
            options[key] = tuple(found) or (Option(None, 0.0),)
            written = self._written(key, options[key][0].value)
            _, past, _ = self.engine.step(**follow(np.asarray([written], np.int64), past, place))
            place += len(written)
        return options

    def _may_stand(self, key: str, value: str | None) -> bool:
        if value is None:
            return True
        return 0 < len(value) <= MOST_LETTERS and (
            key != "spec" or isinstance(parse_spec(value), Spec)
        )

    def weights(
        self, sight: Sight, before: Mapping[str, str | None], key: str, unit: str
    ) -> tuple[list[str | None], dict[str, FloatArray]]:
        """What could stand in field ``key`` after the values ``before`` it, and the log-probabilities
        that the decoder and, of a quantity, the counted units give each."""
        tokens = [t for earlier, value in before.items() for t in self._written(earlier, value)]
        values = self._alternatives(key, unit)
        log_p = weigh(self.engine, self._begin(sight), self._tree(tokens, key, values))
        return values, self._parts(key, values, log_p, sight)

    def _weighed(
        self, key: str, values: Sequence[str | None], log_p: FloatArray, sight: Sight
    ) -> FloatArray:
        """The probabilities of values to which the decoder gives ``log_p``."""
        parts = self._parts(key, values, log_p, sight)
        weights = self.facts.quantity_weights if key == "quantity" else _DECODER_ALONE
        pooled = np.sum([w * parts[name] for name, w in weights.items() if name in parts], axis=0)
        found: FloatArray = np.exp(log_softmax(pooled / self.facts.temperatures.get(key, 1.0)))
        return found

    def _parts(
        self, key: str, values: Sequence[str | None], log_p: FloatArray, sight: Sight
    ) -> dict[str, FloatArray]:
        if key != "quantity" or "count" not in sight.heads:
            return {"decoder": log_p}
        counted = log_softmax(sight.heads["count"].astype(np.float64)).clip(_LEAST_LOG_P)
        each = [_number(value) for value in values]
        known = [counted[n] if n is not None and n < len(counted) else _LEAST_LOG_P for n in each]
        return {"decoder": log_p, "counted": log_softmax(np.array(known))}

    def _tree(
        self, before: Sequence[int], key: str, values: Sequence[str | None], place: int = 0
    ) -> Tree:
        header, close = self.vocabulary.header(key), self._after(key)
        written = [[*self._written(key, value)[1:], close] for value in values]
        if key in WEIGHED:  # nothing else can stand there
            written = distinct(written)
        return Tree.of([*before, header], written, place)

    def _written(self, key: str, value: str | None) -> list[int]:
        text = [UNKNOWN] if value is None else self.vocabulary.encode(value)
        return [self.vocabulary.header(key), *text]

    def _alternatives(self, key: str, unit: str) -> list[str | None]:
        if key == "condition":
            return [*GRADES, None]
        if key == "quantity":
            units = [unit] if unit else self.facts.units
            return [*(f"{n}{one}" for one in units for n in range(1, MOST_UNITS + 1)), None]
        raise ValueError(f"{key} has no alternatives to weigh")

    def _after(self, key: str) -> int:
        """The token that follows field ``key``."""
        fields = self.vocabulary.fields
        place = fields.index(key) + 1
        return self.vocabulary.header(fields[place]) if place < len(fields) else END

    def _begin(self, sight: Sight) -> Float32Array:
        return self.engine.begin(sight.outputs[None])

    def _map(self, looks: Float32Array, sight: Sight) -> Float32Array:
        """Tokens' looks [T, Q] followed into the picture [K, N] (attention rollout over the two,
        Abnar & Zuidema 2020)."""
        share = looks.mean(axis=0)
        cells = (share / max(float(share.sum()), 1e-9)) @ sight.gaze
        return cells.reshape(len(self.facts.looks), -1).astype(np.float32)


def place_of(attribute: str, value: object) -> int | None:
    """The place of a decided value among those of :data:`ATTRIBUTES`, None where it has none."""
    if attribute == "stack_level":
        return min(value, MAX_STACK) - 1 if isinstance(value, int) and value > 0 else None
    return PACKAGE_TYPES.index(value) if value in PACKAGE_TYPES else None


def _number(quantity: str | None) -> int | None:
    """The digits that a quantity of one unit begins with."""
    digits = re.match(r"\d+", quantity or "")
    return int(digits[0]) if digits else None


def is_model(folder: Path) -> bool:
    """Whether ``folder`` holds a MiniGPT rather than anything else."""
    return (folder / "calibration.json").is_file()


def name_of(folder: Path) -> str:
    """A name that changes with anything that changes what a model says."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("onnx/*.onnx")) or sorted(folder.glob("model/*")):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    for name in ("vocabulary.json", "calibration.json"):
        digest.update((folder / name).read_bytes())
    return f"minigpt-{digest.hexdigest()[:12]}"
