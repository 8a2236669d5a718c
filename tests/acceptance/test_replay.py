"""The log proves and replays, through the command line: the star as it was known, samples, certificates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.conftest import PAST
from tests.acceptance.home import Home, the_one_line

LATER = ("--orders", 15, "--days", 10, "--seed", 6, "--start", "2026-03-05", "--run", "later")


class Grown(NamedTuple):
    """A data folder that took in more after `moment`, and the figures that it had until then."""

    home: Home
    moment: str
    before: Any


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    with closing(Home(tmp_path_factory.mktemp("grown") / "home").keep_server()) as home:
        _take_in(home, *PAST)
        before, moment = home.json("kpi")["rows"], datetime.now(UTC).isoformat()
        _take_in(home, *LATER)
        yield Grown(home, moment, before)


def _each_row_is_named_as_explain_takes_it(home: Home, *kpis: str) -> None:
    found = re.findall(r"^(fact_.*?)(?: |$)", home.do("diff", "early", "live", *kpis), re.MULTILINE)
    assert {name.partition("/")[0] for name in found} == {"fact_order", "fact_order_line", "fact_stock_daily"}
    for name in found:
        assert home.json("explain", name)["row"] == name


def _take_in(home: Home, *past: object) -> None:
    home.do("generate", *past)
    home.do("consume", "--once")
    home.do("project", "--once")


def test_the_star_as_it_was_known_has_the_figures_of_then(grown: Grown) -> None:
    home = grown.home
    now = home.json("kpi")["rows"]

    said = home.do("rebuild", "--as-of", grown.moment, "--into", "early")

    assert "are kept as early" in said
    assert home.json("kpi", "--as-of", "early")["rows"] == grown.before != now
    assert home.json("kpi")["rows"] == now
    (kept,) = [build for build in home.json("builds", "list") if build["name"] == "early"]
    assert kept["recorded_until"] == grown.moment.replace("+00:00", "Z")
    moves = {move["kpi"]: move for move in home.json("diff", "early", "live")["moves"]}
    (then,), (figures,) = grown.before, now
    assert moves.keys() == {name for name in figures["figures"] if figures["figures"][name] != then["figures"][name]}
    orders = moves["orders"]
    assert orders["change"] == orders["rows"] == figures["figures"]["orders"] - then["figures"]["orders"] > 0
    assert orders["events"]["OrderPlaced.v1"] == orders["change"]
    first = orders["differences"][0]
    assert (first["live"], first["events"][0]["topic"]) == (None, "OrderPlaced.v1")
    said = home.do("diff", "early", "live", "orders", "net")
    assert "KPIs moved" in said
    assert re.search(r"│ Net sales +│.*│ EUR +│", said)
    assert "│ money" not in said
    _each_row_is_named_as_explain_takes_it(home, "orders", "net", "stock_units")
    home.do("policy", "set", "default", "--basis", "delivered")
    assert home.json("diff", "early", "live", "orders_late")["policy"] == "default@2"
    assert home.json("diff", "early", "live", "orders_late", "--policy", "default@1")["policy"] == "default@1"
    home.do("policy", "set", "default", "--basis", "shipped")

    home.do("builds", "drop", "early")
    assert "no build 'early'" in home.refusal("kpi", "--as-of", "early")


def test_a_sample_passes_until_a_row_is_changed_by_hand_and_every_proof_is_kept(grown: Grown, tmp_path: Path) -> None:
    home = grown.home
    passed = home.json("verify", "--sample", 20, "--seed", 4)
    assert (passed["equal"], passed["streams"], passed["seed"], passed["purpose"]) == (True, 20, 4, "sample")
    changed = "UPDATE silver.orders SET customer_id = customer_id || '!' WHERE order_id = (SELECT min(order_id) {})"
    with home.connect() as connection:
        connection.execute(changed.format("FROM silver.orders").encode())

    found = home.run("verify", "--sample", 5_000)

    assert found.returncode == 1
    assert "the tables differ" in found.stdout
    assert "event order-" in found.stdout
    numbers = [entry["number"] for entry in home.json("certificates", "list")]
    assert passed["number"] in numbers[1:]
    home.do("certificates", "show", numbers[0], "--to", tmp_path / "proof.json")
    proof = json.loads((tmp_path / "proof.json").read_text())
    assert proof == home.json("certificates", "show")
    (orders,) = [table for table in proof["tables"] if table["table"] == "silver.orders"]
    (difference,) = orders["differences"]
    assert difference["live"]["customer_id"] == difference["rebuilt"]["customer_id"] + "!"
    assert difference["events"][0]["topic"] == "OrderPlaced.v1"
    assert home.json("rebuild", "--accept-changes")["swapped"] is True
    assert home.json("verify", "--sample", 5_000)["equal"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rebuild", "--as-of", "yesterday", "--into", "a"), "neither a position nor a time"),
        (("rebuild", "--as-of", "2026-10-01T00:00", "--into", "a"), "write 2026-10-01T00:00Z for UTC"),
        (("rebuild", "--as-of", "5"), "--as-of and --into go together"),
        (("rebuild", "--as-of", "5", "--into", "a", "--accept-changes"), "--as-of and --into go together"),
        (("rebuild", "--as-of", "5", "--into", "Live"), "'Live' can't name a build"),
        (("rebuild", "--as-of", "999999999", "--into", "a"), "is not in the log, which ends at"),
        (("verify", "--seed", "1"), "give --sample too"),
        (("diff", "live", "nothing"), "no build 'nothing'"),
        (("certificates", "show", "999"), "no certificate 999"),
        (("certificates", "show", "9" * 20), "'[NUMBER]': 99999999999999999999 is not in the range"),
        (("certificates", "list", "--limit", "9" * 20), "'--limit': 99999999999999999999 is not in the range"),
        (("quarantine", "show", "9" * 20), "'NUMBER': 99999999999999999999 is not in the range"),
        (("rebuild", "--as-of", "9" * 5_000, "--into", "a"), "neither a position nor a time"),
        (("rebuild", "--swap-back", "--shards", "4"), "--swap-back goes with --accept-changes and --json alone"),
        (("builds", "drop", "live"), "'live' stands for the live tables"),
    ],
)
def test_a_mistake_costs_one_line(shop: Home, arguments: tuple[str, ...], said: str) -> None:
    done = shop.run(*arguments)
    assert done.returncode == 2
    assert said in the_one_line(done)
