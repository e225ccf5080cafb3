"""Recognizers by the version that their answers carry, so that an answer can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inference import bundles
from inference.contracts import RecognizerError, Replayer
from inference.local import LocalRecognizer
from inference.minigpt.reading import is_model, name_of
from inference.remote import VlmRecognizer

_MINIGPT, _VLM = "minigpt-", "vlm-"


def open_version(version: str, *, sites_dir: Path, models: Iterable[Path] = ()) -> Replayer:
    """A recognizer of ``version``, or of any whose version has it as a part (the name of a MiniGPT).
    ``models`` are folders that may hold the MiniGPT it needs. Raises :class:`RecognizerError` where
    nothing here answers as that version."""
    vlm = next((part for part in version.split("+") if part.startswith(_VLM)), "")
    if vlm:
        # What the model read is kept with the picture: it need not be asked.
        return _checked(version, VlmRecognizer(sites_dir, version=vlm))
    wanted = [part for part in version.split("+") if part.startswith(_MINIGPT)]
    folder = next((f for f in (*models, bundles.SHIPPED) if _is_one(f, wanted)), None)
    if wanted and folder is None:
        raise RecognizerError(f"there is no model {wanted[0]} here")
    made = LocalRecognizer(sites_dir, model=folder, minigpt=folder is not None)
    return _checked(version, made)


def _checked(version: str, made: Replayer) -> Replayer:
    if version != made.model_version and version not in made.model_version.split("+"):
        made.close()
        raise RecognizerError(
            f"what is installed here answers as {made.model_version}, not as {version}"
        )
    return made


def _is_one(folder: Path, wanted: list[str]) -> bool:
    try:
        return bool(wanted) and is_model(folder) and name_of(folder) in wanted
    except OSError:  # a model that is not complete is none that was asked for
        return False
