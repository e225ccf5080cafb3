"""A catalog of 50,000 SKUs: importing it, changing a tenth of it, and completing what people type.

``python -m bench.catalog [skus]``"""

from __future__ import annotations

import csv
import io
import random
import sys
import time
from collections.abc import Iterator

from bench.side_by_side import INSIDE, Row, analyze, inside, percentiles, rows

SKUS = 50_000
WORDS = [
    *("洗发水", "沐浴露", "牛奶", "酸奶", "乌龙茶", "纸巾", "饼干", "巧克力", "橙汁", "咖啡"),
    *("海盐", "薄荷", "草莓", "原味", "无糖", "低脂", "清爽", "经典", "有机", "家庭装"),
]
BRANDS = ["清澜", "云岭", "沐白", "拾味", "Oatly", "Arla"]
TYPED = {
    "whole code": "WASH-2023-00420",
    "start of a code": "milk-20",
    "part of a code": "2024-001",
    "name": "薄荷",
    "brand and name": "清澜 海盐",
    "pinyin": "muyulu",
    "initials": "xfs",
    "barcode": "69000000",
    "misspelt code": "wsah-2023-00420",
    "misspelt pinyin": "muyuluniunia",
    "nothing": "zzzzzz",
}


def catalog(skus: int, *, seed: int = 1) -> bytes:
    """A CSV with ``skus`` rows."""
    rng = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["code", "name", "brand", "category", "spec", "barcode", "sales_volume"])
    for n in range(skus):
        name = "".join(rng.sample(WORDS, 3))
        kind = rng.choice(["WASH", "MILK", "TEA", "SNACK"])
        # One more digit than a GTIN, so that there is no check digit to get right.
        writer.writerow(
            [
                f"{kind}-{2020 + n % 7}-{n:05d}",
                name,
                rng.choice(BRANDS),
                f"百货/{kind}/{n % 40}",
                f"{rng.choice([100, 250, 500])}ml×6瓶/箱",
                f"690{n:012d}",
                rng.randrange(1000),
            ]
        )
    return out.getvalue().encode()


def measure(skus: int) -> Iterator[Row]:
    """Seconds of the imports, then milliseconds of a completion over the API."""
    from annotator.accounts.states import Role
    from annotator.catalog.importing import import_catalog
    from annotator.catalog.table import read_table
    from tests import factories
    from tests.conftest import Api

    site = factories.SiteFactory()
    files = {"import": catalog(skus), "import, a tenth changed": catalog(skus)}
    lines = files["import"].decode().splitlines()
    changed = [line + "0" if n and n % 10 == 0 else line for n, line in enumerate(lines)]
    files["import, a tenth changed"] = "\n".join(changed).encode()
    for name, data in files.items():
        for dry_run in (True, False):
            started = time.perf_counter()
            report = import_catalog(site=site, table=read_table(data), dry_run=dry_run)
            assert not report.errors, report.errors[:3]
            took = time.perf_counter() - started
            yield {"what": f"{name}{' (dry run)' if dry_run else ''}", "seconds": round(took, 1)}
    analyze()
    api = Api(factories.member(site, Role.ANNOTATOR))
    every: list[float] = []
    for name, typed in TYPED.items():
        times = []
        for _ in range(30):
            started = time.perf_counter()
            answer = api.get(f"/skus/autocomplete?site={site.pk}&q={typed}")
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200
        assert (name == "nothing") == (not answer.json()["results"]), name
        # The first of all reads the catalog.
        first, times = times[0], times[1:]
        every += times
        p50, p95 = percentiles(times)
        yield {"what": f"complete: {name}", "p50": p50, "p95": p95, "first": first}
    p50, p95 = percentiles(every)
    yield {"what": "complete: all", "p50": p50, "p95": p95, "first": max(every)}


def main() -> None:
    """Print the table."""
    skus = int(sys.argv[1]) if len(sys.argv) > 1 else SKUS
    print(f"{skus} SKUs; seconds, or ms a request over the API: p50 / p95 (first)")
    for name, row in rows("bench.catalog", skus):
        figure = (
            f"{row['seconds']} s"
            if "seconds" in row
            else f"{row['p50']:.1f} / {row['p95']:.1f} ({row['first']:.0f})"
        )
        print(f"{name:12}{row['what']:36}{figure:>24}")


if __name__ == "__main__":
    if INSIDE in sys.argv:
        inside(measure, int(sys.argv[-1]))
    else:
        main()
