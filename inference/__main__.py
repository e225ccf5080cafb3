"""``python -m inference recognize | caption | serve``: the recognizer as a command."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from inference.contracts import Change, Example, Failure, RecognizerError, SiteRef, SkuRecord

_SITE = "catalog"
_GRACE_S = 6
"""How long requests may still run when the server is told to stop."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status is 0 only on success."""
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    recognize = commands.add_parser("recognize", help="propose the SKU of each picture")
    recognize.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    recognize.add_argument("--catalog", type=Path, required=True, help="sku_catalog.csv")
    recognize.add_argument(
        "--model", type=Path, help="a MiniGPT, as training wrote it, or a folder of site logs"
    )
    recognize.add_argument("--site", help="the site in --model (default: its only one)")
    recognize.add_argument("--json", action="store_true", help="one JSON line a picture")
    recognize.set_defaults(run=_recognize)

    caption = commands.add_parser("caption", help="read a caption and write it canonically")
    caption.add_argument("text", metavar="TEXT")
    caption.add_argument("--json", action="store_true", help="one JSON line")
    caption.set_defaults(run=_caption)

    serve = commands.add_parser("serve", help="answer over HTTP")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8100)
    serve.add_argument("--sites", type=Path, required=True, help="folder of site logs")
    serve.add_argument("--model", type=Path, help="a MiniGPT, as training wrote it")
    serve.add_argument("--models", type=Path, help="folder of the models that requests name")
    _add_settings(serve)
    serve.set_defaults(run=_serve)

    options = parser.parse_args(argv)
    try:
        status: int = options.run(options)
        return status
    except (OSError, ValueError, RecognizerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _recognize(options: argparse.Namespace) -> int:
    from inference.local import LocalRecognizer
    from inference.minigpt.reading import is_model

    model = options.model if options.model and is_model(options.model) else None
    sites = options.model if model is None else None
    with tempfile.TemporaryDirectory() as empty:
        recognizer = LocalRecognizer(sites or empty, model=model)
        try:
            site = _SITE
            if sites is not None:
                site = options.site or _only_site(sites)
                recognizer.settle(site)
            recognizer.teach(site, list(_catalog_changes(options.catalog, recognizer)))
            recognizer.settle(site)
            return _recognize_each(recognizer, site, options.images, as_json=options.json)
        finally:
            recognizer.close()


def _recognize_each(recognizer: Any, site: str, images: Sequence[Path], *, as_json: bool) -> int:
    status = 0
    for path in images:
        try:
            (described,) = recognizer.describe([path.read_bytes()])
        except OSError as error:
            described = Failure("unreadable", str(error))
        if isinstance(described, Failure):
            status = 1
            print(f"error: {path}: {described.detail}", file=sys.stderr)
            if as_json:
                print(json.dumps({"image": str(path), "error": asdict(described)}))
            continue
        (recognition,) = recognizer.rank(SiteRef(site, 0), [described])
        if as_json:
            evidence = {
                "barcodes": [asdict(b) for b in described.barcodes],
                "ocr_lines": [asdict(line) for line in described.ocr_lines],
                "missing": dict(described.missing),
            }
            answer = {"image": str(path), **recognition.to_json(), "evidence": evidence}
            answer["timings_ms"] = {**described.timings_ms, **recognition.timings_ms}
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        else:
            best = recognition.candidates[0] if recognition.candidates else None
            told = f"{best.sku_code}\t{best.confidence:.3f}" if best else "-\t-"
            print(f"{path}\t{told}", flush=True)
    return status


def _only_site(folder: Path) -> str:
    sites = sorted(p.name for p in folder.iterdir() if p.is_dir())
    if len(sites) != 1:
        raise ValueError(f"{folder} holds {len(sites)} sites: name one with --site")
    return sites[0]


def _catalog_changes(path: Path, recognizer: Any) -> Iterator[Change]:
    """The changes that put a catalog file and its reference pictures into a memory.

    A reference picture's path is relative to the data set's root (the parent of ``metadata/``) or
    to the catalog's own folder. One that is named but cannot be used is an error.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if "code" not in (reader.fieldnames or ()):
            raise ValueError(f"{path}: there is no column code")
        rows = list(reader)
    texts = {f.name for f in fields(SkuRecord)} - {"sales_volume"}
    for row in rows:
        values = {k: (v or "").strip() for k, v in row.items() if k in texts}
        if not values["code"]:
            continue
        values.setdefault("name", "")
        # Captions name the leaf of a category path.
        values["category"] = values.get("category", "").rpartition("/")[2]
        volume = float(row.get("sales_volume") or 0)
        yield Change(0, "put_sku", sku=SkuRecord(**values, sales_volume=volume))
        names = [n for n in (row.get("reference_image") or "").split(";") if n.strip()]
        for number, name in enumerate(names):
            image = _find(path, name.strip())
            (described,) = recognizer.describe([image.read_bytes()])
            if isinstance(described, Failure):
                raise ValueError(f"{image}: {described.detail}")
            yield Change(
                0,
                "put_example",
                example=Example(
                    key=f"ref:{values['code']}:{number}",
                    sku_code=values["code"],
                    kind="reference",
                    embedding=described.embedding,
                    ocr_text=" ".join(line.text for line in described.ocr_lines),
                    keypoints=described.keypoints,
                ),
            )


def _find(catalog: Path, name: str) -> Path:
    folder = catalog.resolve().parent
    for root in (folder.parent, folder):
        if (root / name).is_file():
            return root / name
    raise ValueError(f"{catalog}: reference picture {name} is neither in {folder.parent} nor here")


def _caption(options: argparse.Namespace) -> int:
    from inference import captions  # only this sub-command needs the caption language

    result = captions.parse(options.text)
    print(json.dumps(result.to_json(), ensure_ascii=False) if options.json else result.canonical)
    for error in result.errors:
        print(f"error: {json.dumps(error.to_json(), ensure_ascii=False)}", file=sys.stderr)
    return 0 if result.ok else 1


_SETTINGS = {
    "workers": "processes that describe pictures",
    "spares": "warm processes that wait to take a dead one's place",
    "max_batch": "pictures in a call of the model",
    "max_wait_ms": "how long a picture waits for companions",
    "normal_capacity": "pictures that may wait",
    "urgent_capacity": "urgent pictures that may wait",
    "deadline_s": "for one request",
    "call_limit_s": "for one call of the model",
    "stale_wait_s": "for a change of a site that is asked for and not here yet",
    "memory_mb": "of one model process; 0: no limit",
    "max_body_mb": "of one request",
    "max_images": "in one request",
    "tries": "calls that may fail before a picture is given up",
    "kill_grace_s": "after which a process that hangs is killed",
    "cache_mb": "of descriptions kept by content",
    "recognizer": "dotted path of what each model process makes",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
}
"""The settings of :class:`inference.serving.settings.ServerSettings` that are options."""


def _add_settings(serve: argparse.ArgumentParser) -> None:
    from inference.serving.settings import ServerSettings

    for field in fields(ServerSettings):
        if field.name in _SETTINGS:
            serve.add_argument(
                f"--{field.name.replace('_', '-')}",
                type=type(field.default),
                default=field.default,
                help=f"{_SETTINGS[field.name]} (default: %(default)s)",
            )
    serve.add_argument("--threads", type=int, default=1, help="threads for one picture")
    serve.add_argument(
        "--recognizer-options", type=json.loads, default={}, metavar="JSON", help="for it"
    )
    serve.add_argument(
        "--pass-environment", nargs="*", default=[], metavar="NAME", help="variables that it gets"
    )


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from inference.logs import to_stderr
    from inference.serving.app import create_app
    from inference.serving.settings import ServerSettings

    to_stderr(options.log_level)
    model = {"model": str(options.model)} if options.model else {}
    settings = ServerSettings(
        sites=options.sites,
        models=options.models,
        recognizer_options={"threads": options.threads, **model, **options.recognizer_options},
        pass_environment=tuple(options.pass_environment),
        **{name: getattr(options, name) for name in _SETTINGS},
    )
    uvicorn.run(
        create_app(settings),
        host=options.host,
        port=options.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
