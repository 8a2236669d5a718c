"""A rebuild in steps, as a scheduler runs them: on real PostgreSQL, each step again, shards out of order, twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.ports.builds import InvalidMomentError
from application.ports.rebuild_steps import BuildGoneError, NotCertifiedError, ShardsMissingError
from entrypoints.tasks import rebuilding, verifying
from entrypoints.tasks.rebuilding import CertificateError
from tests.acceptance.home import until
from tests.integration.test_daily_report import url_of
from tests.integration.told import follow, select

WAITING = (
    "SELECT pid FROM pg_locks WHERE NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def live(told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database whose read models follow the whole story, as the settings name it."""
    monkeypatch.setenv("DATAFLOW_DATABASE_URL", url_of(told))
    monkeypatch.setenv("DATAFLOW_ARTEFACTS", str(tmp_path / "artefacts"))
    return told


def loaded(shards: int = 3) -> str:
    plan = rebuilding.plan(shards)
    for shard in reversed(plan["shards"]):
        rebuilding.load_shard(json.loads(json.dumps(shard)))
    return str(plan["name"])


def builds(conninfo: str) -> list[tuple[Any, ...]]:
    return select(conninfo, "SELECT name, purpose FROM replay.builds ORDER BY 1")


def test_steps_run_twice_each_put_one_certified_build_in_place(live: str, tmp_path: Path) -> None:
    plan = rebuilding.plan(3)
    assert len(plan["shards"]) == 3
    assert rebuilding.plan(3) == plan
    done = [rebuilding.load_shard(shard) for shard in plan["shards"]]
    assert [rebuilding.load_shard(shard) for shard in plan["shards"]] == done
    assert sum(each["events"] for each in done) == select(live, "SELECT count(*) FROM events.stored_events")[0][0]
    finished = rebuilding.finish(plan["name"])
    assert rebuilding.finish(plan["name"]) == finished
    proof = rebuilding.certify(plan["name"])
    assert proof["equal"] is True
    certificate = json.loads((tmp_path / "artefacts" / "certificates" / f"{proof['certificate']}.json").read_text())
    assert certificate["position"] == proof["position"] == finished["position"]
    for _ in range(2):
        assert rebuilding.put_in_place(plan["name"], proof["certificate"])["swapped"] is True
    assert builds(live) == [("live", "live"), ("old", "kept")]
    with pytest.raises(BuildGoneError, match=plan["name"]):
        rebuilding.finish(plan["name"])


def test_a_first_build_that_is_put_in_place_twice_is_so_once(live: str) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute("DROP SCHEMA silver, gold CASCADE")
    name = loaded()
    position = rebuilding.finish(name)["position"]
    assert rebuilding.certify(name) == {"build": name, "certificate": None}
    for _ in range(2):
        assert rebuilding.put_in_place(name, None) == {"build": name, "position": position, "swapped": True}
    assert builds(live) == [("live", "live"), ("old", "kept")]
    replaced = loaded()
    rebuilding.finish(replaced)
    rebuilding.put_in_place(replaced, rebuilding.certify(replaced)["certificate"])
    assert rebuilding.put_in_place(name, None)["swapped"] is True
    with pytest.raises(BuildGoneError, match="never"):
        rebuilding.put_in_place("never", None)


def test_a_build_that_is_in_place_is_said_to_be_whoever_certified_it_and_for_ever_by_its_certificate(live: str) -> None:
    name = loaded()
    rebuilding.finish(name)
    mine, others = (rebuilding.certify(name)["certificate"] for _ in range(2))
    done = rebuilding.put_in_place(name, others)
    assert rebuilding.put_in_place(name, mine) == done
    for _ in range(2):
        after = loaded()
        rebuilding.finish(after)
        rebuilding.put_in_place(after, rebuilding.certify(after)["certificate"])
    assert rebuilding.put_in_place(name, others) == done
    with pytest.raises(BuildGoneError, match=name):
        rebuilding.put_in_place(name, mine)


def test_a_first_build_that_a_follower_overtakes_before_the_swap_is_certified_first(live: str) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute("DROP SCHEMA silver, gold CASCADE")
    name = loaded()
    rebuilding.finish(name)
    assert rebuilding.certify(name)["certificate"] is None
    assert follow(live) > 0
    for _ in range(2):
        with pytest.raises(NotCertifiedError, match=rf"a follower has started since {name} .*: certify it, then"):
            rebuilding.put_in_place(name, None)
    assert builds(live) == [(name, "rebuild"), ("live", "live")]
    rebuilding.put_in_place(name, rebuilding.certify(name)["certificate"])
    assert builds(live) == [("live", "live"), ("old", "kept")]


def test_a_shard_whose_worker_was_killed_is_loaded_again_and_the_certificate_is_equal(live: str) -> None:
    plan = rebuilding.plan(2)
    order = "import json, sys; from entrypoints.tasks.rebuilding import load_shard; load_shard(json.load(sys.stdin))"
    with psycopg.connect(live) as holder:
        holder.execute(f"LOCK TABLE silver_{plan['name']}.orders".encode())
        worker = subprocess.Popen([sys.executable, "-c", order], stdin=subprocess.PIPE, text=True)
        assert worker.stdin is not None
        with worker.stdin as input_:
            json.dump(plan["shards"][-1], input_)
        until(lambda: select(live, WAITING), "the worker did not come to write")
        worker.kill()
        worker.wait()
    until(lambda: not select(live, WAITING), "its transaction did not end")
    for shard in plan["shards"]:
        rebuilding.load_shard(shard)
    rebuilding.finish(plan["name"])
    assert rebuilding.certify(plan["name"])["equal"] is True


def test_a_build_is_not_finished_before_all_shards_are_loaded(live: str) -> None:
    plan = rebuilding.plan(3)
    rebuilding.load_shard(plan["shards"][1])
    with pytest.raises(ShardsMissingError, match=f"2 of 3 shards of {plan['name']}"):
        rebuilding.finish(plan["name"])


def test_a_failed_certificate_leaves_the_live_star_and_drops_the_build(live: str, tmp_path: Path) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE order_id = 'o2'")
    before = select(live, "SELECT * FROM gold.fact_order_line ORDER BY stream_id, line_no")
    name = loaded()
    rebuilding.finish(name)
    with pytest.raises(CertificateError, match=r"names the rows of gold\.fact_order_line"):
        rebuilding.certify(name)
    (file,) = (tmp_path / "artefacts" / "certificates").iterdir()
    tables = json.loads(file.read_text())["tables"]
    assert [table["table"] for table in tables if not table["equal"]] == ["gold.fact_order_line"]
    assert select(live, "SELECT * FROM gold.fact_order_line ORDER BY stream_id, line_no") == before
    assert builds(live) == [("live", "live")]


def test_accepted_changes_are_put_in_place(live: str) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute("UPDATE gold.fact_order_line SET freight = freight + 1 WHERE order_id = 'o2'")
    name = loaded()
    rebuilding.finish(name)
    proof = rebuilding.certify(name, accept_changes=True)
    assert proof["equal"] is False
    rebuilding.put_in_place(name, proof["certificate"])
    assert verifying.verify_sample(50, 1)["streams"] > 0


def test_a_build_as_of_a_position_is_kept_beside_the_live_one(live: str) -> None:
    (position,) = select(live, "SELECT max(notification_id) / 2 FROM events.stored_events")[0]
    plan = rebuilding.plan(2, str(position), "half")
    assert plan["upto"] == position
    for shard in plan["shards"]:
        rebuilding.load_shard(shard)
    assert rebuilding.finish("half") == {"build": "half", "position": position}
    assert ("half", "as-of") in builds(live)


def test_steps_build_by_the_fiscal_year_that_is_set_as_the_other_commands_do(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFLOW_FISCAL_YEAR_START", "4")
    name = loaded()
    rebuilding.finish(name)
    for shard in rebuilding.plan(2, "10", "early")["shards"]:
        rebuilding.load_shard(shard)
    rebuilding.finish("early")
    for build in (name, "early"):
        april = f"SELECT DISTINCT fiscal_month FROM gold_{build}.dim_date WHERE month = 4"
        assert select(live, april) == [(1,)], build


@pytest.mark.parametrize("as_of", ["soon", "2026-01-24T00:00"])
def test_what_is_no_time_with_its_offset_is_refused(as_of: str) -> None:
    with pytest.raises(InvalidMomentError, match=f"as_of is '{as_of}'"):
        rebuilding.plan(2, as_of, "early")


def test_a_sample_that_differs_names_the_certificate(live: str) -> None:
    assert verifying.verify_sample(1_000, 1)["certificate"] == 1
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute("UPDATE silver.orders SET customer_id = 'nobody' WHERE order_id = 'o2'")
    with pytest.raises(CertificateError, match=r"differ from the log in .*certificates show 2"):
        verifying.verify_sample(1_000, 1)
