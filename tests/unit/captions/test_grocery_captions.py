"""The captions of a real data set are read and written back unchanged."""

import json
import os
from pathlib import Path

import pytest

from inference.captions import parse

ROOT = Path(__file__).parents[3]
GROCERY = Path(os.environ.get("WAREVISION_GROCERY", ROOT / "../shared/data/grocery"))


@pytest.mark.skipif(not GROCERY.is_dir(), reason=f"no grocery data at {GROCERY}")
@pytest.mark.parametrize("split", ["train", "val"])
def test_every_caption_is_canonical(split):
    lines = (GROCERY / f"annotations/{split}.jsonl").read_text("utf-8").splitlines()
    captions = [json.loads(line)["caption"] for line in lines]
    assert captions
    for caption in captions:
        result = parse(caption)
        assert result.ok, result.errors
        assert result.canonical == caption
