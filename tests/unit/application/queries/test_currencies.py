"""What is said of money of several currencies."""

from __future__ import annotations

import pytest

from application.queries.currencies import Currencies, mixtures
from application.queries.kpis import KPIS

BOTH = ("EUR", "USD")
TELLS_APART = "; `--by currency` tells them apart"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Currencies(BOTH), "adds up EUR + USD"),
        (Currencies(BOTH, ("USD",)), "adds up EUR + USD"),
        (Currencies(("EUR",), ("USD",)), "adds up EUR, in the period before USD"),
        (Currencies(("EUR",), BOTH), "adds up EUR, in the period before EUR + USD"),
        (Currencies((), BOTH), "adds up in the period before EUR + USD"),
        (Currencies(("USD",), ("EUR",), apart=True), "is of one currency in each row, EUR or USD"),
    ],
)
def test_money_of_several_currencies_is_said_to_be(found: Currencies, sentence: str) -> None:
    assert mixtures([KPIS["net"]], {"net": found}) == [f"money of orders {sentence}{TELLS_APART}"]


@pytest.mark.parametrize("found", [Currencies(()), Currencies(("EUR",)), Currencies(("EUR",), ("EUR",))])
def test_money_of_one_currency_is_not_spoken_of(found: Currencies) -> None:
    assert mixtures([KPIS["net"], KPIS["orders"]], {"net": found}) == []


def test_kpis_of_the_same_money_are_spoken_of_together() -> None:
    found = {"net": Currencies(BOTH), "freight_share": Currencies(("EUR", "GBP")), "stock_value": Currencies(BOTH)}
    assert mixtures([KPIS[name] for name in found], found) == [
        f"money of orders adds up EUR + GBP + USD{TELLS_APART}",
        f"money of stock adds up EUR + USD{TELLS_APART}",
    ]


def test_a_figure_that_mixes_is_not_hidden_by_one_that_does_not() -> None:
    found = {"net": Currencies(BOTH), "gross": Currencies(BOTH, apart=True)}
    assert mixtures([KPIS[name] for name in found], found) == [f"money of orders adds up EUR + USD{TELLS_APART}"]
