"""Does the score tell captions that read well from those that do not? 100 good captions of rendered goods, and
the same ones broken, each in one way that people break them; the area under the ROC curve, in all and by way."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

from sklearn.metrics import roc_auc_score

GOOD = 100


def rendered(rng: random.Random) -> dict[str, str]:
    """The values of a good caption."""
    category = rng.choice(["个人护理", "饮料", "休闲食品", "家居清洁", "粮油调味", "纸品"])
    size = rng.choice(["500ml", "1.5L", "250g", "75g", "2kg", "330ml"])
    pack = rng.choice(["", "×6瓶/箱", "×12袋/箱", "×24罐/箱"])
    detail = rng.choice(["", "", "，左上角", "，封口处", "，右侧面"])
    grade = rng.choice(["完好无损", "轻微压痕", "明显变形", "破损", "渗漏"])
    return {
        "sku": f"SKU-{rng.randrange(10_000):04d}",
        "category": category,
        "spec": size + pack,
        "quantity": f"{rng.randint(1, 24)}{rng.choice('箱瓶袋罐')}",
        "condition": grade + (detail if grade != "完好无损" else ""),
    }


def _in(field: str, change: Callable[[str], str]) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda values: {**values, field: change(values[field])}


BREAKS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "repeated": _in("category", lambda v: v + v),
    "vague": _in("category", lambda v: "一个盒子"),
    "hedged": _in("category", lambda v: f"可能是{v}"),
    "punctuation": _in("condition", lambda v: f"{v}？？"),
    "contradictory": _in("condition", lambda v: "完好无损，左上角破裂"),
    "Chinese numerals": _in("quantity", lambda v: f"两{v[-1]}"),
    "spaced units": _in(
        "spec", lambda v: v.replace("ml", " ml").replace("g", " g").replace("L", " L")
    ),
    "full width": _in("spec", lambda v: v.translate({n: n + 0xFEE0 for n in range(48, 58)})),
    "brackets": _in("category", lambda v: f"{v}（"),
    "code as category": lambda values: {**values, "category": values["sku"]},
    "field left out": lambda values: {k: v for k, v in values.items() if k != "spec"},
}


def caption_of(values: dict[str, str]) -> str:
    """Written as people write it: nothing is made canonical."""
    from inference.captions import DEFAULT_SCHEMA

    return "|".join(
        f"【{f.label['zh']}】{values[f.key]}" for f in DEFAULT_SCHEMA.fields if f.key in values
    )


def main() -> int:
    """Print the areas."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings.test")
    from annotator.quality.fluency import score
    from inference.captions import DEFAULT_SCHEMA

    rng = random.Random(5)
    good = [rendered(rng) for _ in range(GOOD)]
    ways = list(BREAKS)
    broken = [(ways[n % len(ways)], BREAKS[ways[n % len(ways)]](v)) for n, v in enumerate(good)]
    of_good = [score(caption_of(v), DEFAULT_SCHEMA) for v in good]
    of_broken = [(way, score(caption_of(v), DEFAULT_SCHEMA)) for way, v in broken]
    everything = [s for _, s in of_broken]
    print(f"{len(good)} good: mean {sum(of_good) / len(good):.1f}, lowest {min(of_good):.0f}")
    print(
        f"{len(broken)} broken: mean {sum(everything) / len(broken):.1f}, highest {max(everything):.0f}"
    )
    truth = [1] * len(of_good) + [0] * len(everything)
    print(f"AUROC {roc_auc_score(truth, of_good + everything):.3f}")
    for way in ways:
        scores = [s for found, s in of_broken if found == way]
        area = roc_auc_score([1] * len(of_good) + [0] * len(scores), of_good + scores)
        print(f"  {way:<18} AUROC {area:.3f}   mean score {sum(scores) / len(scores):5.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
