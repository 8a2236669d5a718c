"""When the statistics of growing tables are renewed."""

from __future__ import annotations

from adapters.postgres.read_model.statistics import due

TABLES = [f"table_{number}" for number in range(26)]


def test_the_first_batch_renews_all() -> None:
    assert due(TABLES, 0, 1) == TABLES


def test_a_batch_that_doubles_the_log_renews_all() -> None:
    assert due(TABLES, 5_000, 10_000) == TABLES


def test_small_batches_renew_each_table_once_while_the_log_doubles_and_few_at_a_time() -> None:
    batches = [due(TABLES, before, before + 300) for before in range(30_000, 60_000, 300)]
    assert sorted(name for batch in batches for name in batch) == sorted(TABLES)
    assert max(map(len, batches)) == 1


def test_a_log_that_hardly_grows_renews_nothing() -> None:
    assert due(TABLES, 1_000_000, 1_000_001) == []
