"""A vision-language model behind an endpoint of the OpenAI protocol, asked over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import catalog_changes, encode, render_pack
from hypothesis import given
from hypothesis import strategies as st
from vision_server import KEY, READ, VisionServer, vision_server

from inference.captions import GRADES
from inference.contracts import Description, Failure, OtherDescriber, Recognizer, Replayer, SiteRef
from inference.engines.vlm import Read, VisionEndpoint, VlmError, VlmReading, _spans, name_of
from inference.local import LocalRecognizer
from inference.remote import UNCALIBRATED, VlmRecognizer
from inference.versions import open_version

INSIDE = ("127.0.0.0/8",)
PICTURE = encode(render_pack("ARLA", "Milk", "3%", side=1600))


@pytest.fixture(scope="module")
def served() -> Iterator[VisionServer]:
    with vision_server() as running:
        yield running


def endpoint(served: VisionServer, model: str = "good", **options: object) -> VisionEndpoint:
    options = {"allow": INSIDE, "api_key": KEY, **options}
    return VisionEndpoint(served.url, model, **options)  # type: ignore[arg-type]


def read(made: VisionEndpoint, image: bytes = PICTURE) -> VlmReading:
    try:
        return made.read(image, max_pixels=50_000_000)
    finally:
        made.close()


def test_what_is_read_is_canonical_and_as_sure_as_its_tokens(served: VisionServer) -> None:
    reading = read(endpoint(served))
    values = {key: one.value for key, one in reading.fields.items()}
    assert values == {
        "category": "饮料",
        "spec": "500ml×6瓶/箱",
        "quantity": "2箱",
        "condition": "轻微压痕",
    }
    sure = {key: one.confidence for key, one in reading.fields.items()}
    assert sure["quantity"] == pytest.approx(0.9, abs=1e-3)
    assert sure["condition"] == pytest.approx(0.3, abs=1e-3)
    assert sure["spec"] == pytest.approx(0.99**2, abs=1e-3)
    assert [line.value for line in reading.lines] == READ["printed"]
    assert VlmReading.unpack(reading.pack()) == reading
    # The picture was made smaller, the answer constrained, and nothing is left to chance.
    assert max(served.sizes[-1]) == 1024
    body = served.requests[-1]
    assert (body["temperature"], body["seed"], body["logprobs"]) == (0, 0, True)
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["condition"]["enum"] == [*GRADES, None]


def test_without_probabilities_nothing_is_calibrated(served: VisionServer) -> None:
    made = endpoint(served, "no-logprobs")
    reading = made.read(PICTURE, max_pixels=50_000_000)
    asked = len(served.requests)
    assert {one.confidence for one in (*reading.fields.values(), *reading.lines)} == {None}
    # It is asked for them once only.
    assert read(made) == reading and len(served.requests) == asked + 1
    # Probabilities that are not those of the answer's text are none.
    lossy = read(endpoint(served, "lossy"))
    assert {one.confidence for one in lossy.fields.values()} == {None}


def test_values_that_are_none_are_left_out(served: VisionServer) -> None:
    reading = read(endpoint(served, "liar"))
    assert set(reading.fields) == {"category"}
    odd = read(endpoint(served, "odd"))
    assert [line.value for line in odd.lines] == ["ab"]
    assert odd.fields["category"] == Read("饮料", None)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("busy", "answered 503"),
        ("not-json", "not JSON"),
        ("endless", "too long"),
        ("list", "not an object"),
        ("chatty", "not understood"),
        ("cut", "cut off"),
        ("no-text", "not understood"),
    ],
)
def test_answers_that_cannot_be_used_say_why(served: VisionServer, model: str, why: str) -> None:
    with pytest.raises(VlmError, match=why):
        read(endpoint(served, model))


def test_what_goes_wrong_on_the_way_says_why(served: VisionServer) -> None:
    with pytest.raises(VlmError, match="in time"):
        read(endpoint(served, "slow", limit_s=0.2))
    with pytest.raises(VlmError, match="401"):
        read(endpoint(served, api_key="wrong"))
    with pytest.raises(VlmError, match="cannot be reached"):
        read(VisionEndpoint("http://127.0.0.1:9/v1", "good", allow=INSIDE))
    with pytest.raises(VlmError, match="known format"):
        read(endpoint(served), b"no picture")
    for wrong in ("ftp://host/v1", "127.0.0.1:80/v1", "http://user:pw@host/v1", "file:///v1"):
        with pytest.raises(ValueError, match="address of an endpoint"):
            VisionEndpoint(wrong, "good")


def test_what_is_inside_is_asked_only_where_the_operator_names_it(served: VisionServer) -> None:
    asked = len(served.requests)
    with pytest.raises(VlmError, match=r"may not be asked: url_not_public.*127\.0\.0\.1"):
        read(endpoint(served, allow=()))

    def inside(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.7"]

    # A name outside that leads inside, once, is not asked either.
    with pytest.raises(VlmError, match="url_not_public"):
        read(VisionEndpoint("http://vlm.example/v1", "good", resolve=inside))
    assert len(served.requests) == asked
    assert read(endpoint(served, allow=("127.0.0.1",))).fields


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner), max_leaves=5
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_each_value_is_found_in_the_text(values: dict[str, object], spaced: bool) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=2 if spaced else None)
    spans = _spans(text)
    assert spans.keys() == values.keys()
    for key, (begin, end) in spans.items():
        cut = text.encode("utf-8", "surrogatepass")[begin:end]
        assert json.loads(cut.decode("utf-8", "surrogatepass")) == values[key]


# --- as a recognizer --------------------------------------------------------------------------


def test_it_recognizes_with_the_rest_of_the_evidence(
    served: VisionServer,
    tmp_path: Path,
    described_packs: dict[str, list[Description]],
    recognizer: LocalRecognizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAREVISION_VLM_KEY", KEY)
    made = VlmRecognizer(tmp_path, base_url=served.url, vlm="good", allow=INSIDE, limit_s=30.0)
    promised: Recognizer = made
    assert promised.ready() and made.model_version.endswith(f"+{name_of('good')}")
    changes = catalog_changes(described_packs)
    made.teach("s", changes)
    made.settle("s")
    apple = encode(render_pack("BRAVO", "Apple", "Juice", turn=5))
    seen, bad = made.describe([apple, b"no picture"])
    assert isinstance(seen, Description) and isinstance(bad, Failure)
    assert seen.describer == made.describer and not seen.missing and seen.timings_ms["vlm"] > 0
    texts = [line.text for line in seen.ocr_lines]
    assert texts[-2:] == READ["printed"] and len(texts) > 2
    (answer,) = made.rank(SiteRef("s", 8), [seen])
    assert answer.candidates[0].sku_code == "JUICE-APPLE"
    assert answer.model_version == made.model_version
    # Spec and category are the catalog's where it is sure; quantity is the model's, condition unsure.
    assert (answer.fields["spec"].value, answer.fields["spec"].source) == ("1L", "catalog")
    quantity, condition = answer.fields["quantity"], answer.fields["condition"]
    assert (quantity.value, quantity.source) == ("2箱", "vlm")
    assert quantity.confidence == pytest.approx(0.9, abs=1e-3)
    assert (condition.value, condition.source) == (None, "low_confidence")
    assert made.search(SiteRef("s", 8), seen, count=1).hits[0].sku_code == "JUICE-APPLE"

    # Made again by its version alone: nobody is asked.
    asked = len(served.requests)
    again: Replayer = open_version(made.model_version, sites_dir=tmp_path)
    again.teach("s", changes)  # type: ignore[attr-defined]
    again.settle("s")
    (same,) = again.rank(SiteRef("s", 8), [seen])
    assert (same.fields, same.candidates) == (answer.fields, answer.candidates)
    assert len(served.requests) == asked
    again.close()

    # What another describer saw is another's; and what no endpoint says is said to be missing.
    with pytest.raises(OtherDescriber):
        made.rank(SiteRef("s", 8), [described_packs["MILK-LOW"][0]])
    made.close()
    alone = VlmRecognizer(tmp_path, base_url="http://127.0.0.1:9/v1", vlm="good", allow=INSIDE)
    alone.teach("s", changes)
    (blind,) = alone.describe([apple])
    assert isinstance(blind, Description) and "cannot be reached" in blind.missing["vlm"]
    (answer,) = alone.rank(SiteRef("s", 8), [blind])
    assert answer.candidates[0].sku_code == "JUICE-APPLE"
    assert answer.fields["quantity"].source == "not_available"
    alone.close()


def test_values_without_probability_are_marked(
    tmp_path: Path, described_packs: dict[str, list[Description]]
) -> None:
    made = VlmRecognizer(tmp_path, version="vlm-test")
    made.teach("s", catalog_changes(described_packs))
    sight = VlmReading(fields={"quantity": Read("3瓶", None)}).pack()
    seen = replace(described_packs["MILK-LOW"][1], describer=made.describer, sight=sight)
    (answer,) = made.rank(SiteRef("s", 8), [seen])
    quantity = answer.fields["quantity"]
    assert (quantity.value, quantity.confidence, quantity.source) == ("3瓶", None, UNCALIBRATED)
    made.close()
