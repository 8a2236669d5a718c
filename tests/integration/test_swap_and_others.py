"""What others gave to the live tables, or made of them: carried over a swap, or named before it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.postgres.errors import RefusedByDatabaseError
from adapters.postgres.read_model import planning
from adapters.postgres.read_model.session import connect
from application.ports.read_model import DependentObjectsError, ReadersInTheWayError, RightsNotCarriedError
from tests.acceptance.home import until
from tests.integration.test_read_model import LIVE_AND_OLD, STOCKED, House, adjusted, received


@pytest.fixture
def house(conninfo: str, tmp_path: Path) -> Iterator[House]:
    """A house whose read models are at the end of a log of two products."""
    house = House.in_folder(conninfo, tmp_path)
    house.append(received("bolt", 10), received("nut", 7), adjusted("bolt", 2, 9), adjusted("bolt", 3, 8))
    house.follow()
    yield house
    house.close()


def run(house: House, *statements: str) -> None:
    for statement in statements:
        house.sql.execute(statement.encode())


def role(house: House, name: str) -> str:
    """Make a role that may look into gold; roles are of all databases of a server."""
    (named,) = house.query(f"SELECT '{name}_of_' || current_database()")[0]
    run(house, f"CREATE ROLE {named}", f"GRANT USAGE ON SCHEMA gold TO {named}")
    return str(named)


def rights(house: House, table: str) -> list[tuple[Any, ...]]:
    of_table = "SELECT relacl AS acl FROM pg_class WHERE oid = '{0}'::regclass"
    of_columns = "SELECT attacl FROM pg_attribute WHERE attrelid = '{0}'::regclass"
    return house.query(
        f"SELECT grantee::regrole::text, privilege_type, is_grantable FROM ({of_table} UNION ALL {of_columns}) AS a,"
        " aclexplode(acl) WHERE grantee <> grantor ORDER BY 1, 2, 3".format(table)
    )


def test_whoever_may_pass_a_right_on_may_still_after_the_swap(house: House) -> None:
    lead = role(house, "lead")
    run(
        house,
        f"GRANT USAGE ON SCHEMA gold TO {lead} WITH GRANT OPTION",
        f"GRANT SELECT ON gold.fact_stock TO {lead} WITH GRANT OPTION",
        f"GRANT UPDATE (on_hand) ON gold.fact_stock TO {lead} WITH GRANT OPTION",
        f"GRANT SELECT ON gold.fact_day TO {lead}",
    )
    assert house.read_model.rebuild(house.progress).swapped
    assert rights(house, "gold.fact_stock") == [(lead, "SELECT", True), (lead, "UPDATE", True)]
    assert rights(house, "gold.fact_day") == [(lead, "SELECT", False)]
    clerk = role(house, "clerk")
    run(house, f"SET ROLE {lead}", f"GRANT USAGE ON SCHEMA gold TO {clerk}")
    run(house, f"GRANT SELECT, UPDATE (on_hand) ON gold.fact_stock TO {clerk}")


def test_a_right_that_was_taken_away_does_not_come_back_with_the_kept_tables(house: House) -> None:
    reader, other = role(house, "reader"), role(house, "other")
    run(house, f"GRANT SELECT ON gold.fact_stock TO {reader} WITH GRANT OPTION")
    run(house, f"SET ROLE {reader}", f"GRANT SELECT ON gold.fact_stock TO {other}", "RESET ROLE")
    assert house.read_model.rebuild(house.progress).swapped
    run(house, f"REVOKE ALL ON gold.fact_stock FROM {reader} CASCADE", f"REVOKE ALL ON gold.fact_stock FROM {other}")
    run(house, f"REVOKE ALL ON SCHEMA gold FROM {reader}")
    assert house.read_model.swap_back(house.progress).swapped
    assert rights(house, "gold.fact_stock") == []
    assert house.query(f"SELECT has_schema_privilege('{reader}', 'gold', 'USAGE')") == [(False,)]


def test_default_privileges_go_over_and_hold_for_tables_that_are_new(house: House) -> None:
    reader = role(house, "reader")
    run(house, f"ALTER DEFAULT PRIVILEGES IN SCHEMA gold GRANT SELECT ON TABLES TO {reader} WITH GRANT OPTION")
    (house.gold / "dim_new.sql").write_text("-- comment: New.\n-- key: one\nSELECT 1 AS one")
    assert house.another_read_model().rebuild(house.progress, accept_changes=True).swapped
    assert rights(house, "gold.dim_new") == [(reader, "SELECT", True)]
    assert rights(house, "gold.fact_stock") == [], "tables that there were keep the rights that they had"
    run(house, "CREATE TABLE gold.later (one integer)")
    assert rights(house, "gold.later") == [(reader, "SELECT", True)]
    run(house, "DROP TABLE gold.later")


def test_the_owner_stays_the_owner_whoever_rebuilds(house: House) -> None:
    owner = role(house, "owner")
    relations = (
        "SELECT relname::text, relowner::regrole::text FROM pg_class WHERE relkind IN ('r', 'v')"
        " AND relnamespace IN ('gold'::regnamespace, 'silver'::regnamespace) ORDER BY 1"
    )
    for schema in ("silver", "gold"):
        run(house, f"ALTER SCHEMA {schema} OWNER TO {owner}")
    for name, _ in house.query(relations):
        (named,) = house.query(f"SELECT oid::regclass::text FROM pg_class WHERE relname = '{name}'")[0]
        run(house, f"ALTER TABLE {named} OWNER TO {owner}")
    before = house.query(relations)
    assert house.read_model.rebuild(house.progress).swapped
    assert house.query(relations) == before
    owners = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname IN ('silver', 'gold')"
    assert house.query(owners) == [(owner,), (owner,)]
    house.append(adjusted("bolt", 4, 6))
    house.follow()
    assert house.read_model.verify(house.progress).equal


def test_row_security_goes_over_with_its_policies_and_back(house: House) -> None:
    reader = role(house, "reader")
    days = "(SELECT max(days) FROM gold.kpi_policy)"
    run(
        house,
        f"GRANT SELECT ON gold.fact_stock, gold.kpi_policy TO {reader}",
        "ALTER TABLE gold.fact_stock ENABLE ROW LEVEL SECURITY",
        f'CREATE POLICY "own bolts" ON gold.fact_stock FOR SELECT TO {reader} USING (on_hand > {days})',
        "CREATE POLICY narrow ON gold.fact_stock AS RESTRICTIVE USING (product_id = 'bolt') WITH CHECK (on_hand > 0)",
    )
    policies = "SELECT * FROM pg_policies WHERE schemaname = 'gold' ORDER BY policyname"
    before = house.query(policies)
    for put_in_place in (house.read_model.rebuild, house.read_model.swap_back, house.read_model.rebuild):
        assert put_in_place(house.progress).swapped
        assert house.query(policies) == before
        run(house, f"SET ROLE {reader}")
        assert [fact[0] for fact in house.query("SELECT product_id FROM gold.fact_stock")] == ["bolt"]
        run(house, "RESET ROLE")
    run(house, "DROP POLICY narrow ON gold.fact_stock", "ALTER TABLE gold.fact_stock FORCE ROW LEVEL SECURITY")
    assert house.read_model.swap_back(house.progress).swapped
    assert [policy[2] for policy in house.query(policies)] == ["own bolts"]
    flags = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'gold.{}'::regclass"
    assert house.query(flags.format("fact_stock")) == [(True, True)]
    assert house.query(flags.format("fact_day")) == [(False, False)]


def guard(house: House, condition: str) -> None:
    """Let readers of one of the live tables see some of its rows only."""
    run(
        house,
        "ALTER TABLE gold.fact_stock ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY part ON gold.fact_stock USING ({condition})",
    )


def test_readers_of_kept_tables_with_policies_keep_nobody_from_the_live_ones(house: House) -> None:
    """Policies are changed on the tables that are put back, which wait for their readers until then."""
    guard(house, "true")
    assert house.read_model.rebuild(house.progress).swapped
    with psycopg.connect(house.conninfo) as reader, ThreadPoolExecutor(1) as threads:
        reader.execute("SELECT FROM gold_old.fact_stock")
        swapping = threads.submit(house.another_read_model().swap_back, house.progress)
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        until(lambda: house.query(waiting) == [(1,)], "the swap waits for nobody")
        run(house, "SET statement_timeout = '2s'")
        assert house.facts() == STOCKED
        reader.rollback()
        assert swapping.result(30).locked_seconds < 1


def test_a_table_that_a_policy_looks_into_is_not_waited_for_without_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.read_model.swap.PATIENCE", 0.5)
    run(house, "CREATE TABLE seen (product_id text)")
    guard(house, "product_id IN (SELECT product_id FROM public.seen)")
    with psycopg.connect(house.conninfo) as other:
        other.execute("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(ReadersInTheWayError):
            house.read_model.rebuild(house.progress)
    assert house.schemas() == ["gold", "silver"]
    assert house.read_model.rebuild(house.progress).swapped


def test_a_policy_on_a_column_that_is_no_more_refuses_the_swap(house: House) -> None:
    guard(house, "movements > 0")
    definition = house.gold / "fact_stock.sql"
    definition.write_text(definition.read_text().replace(" AS movements", " AS moves"))
    with pytest.raises(DependentObjectsError, match='does not fit the new ones: column "movements" does not exist'):
        house.another_read_model().rebuild(house.progress, accept_changes=True)
    assert house.facts() == STOCKED


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE PROCEDURE gold_old.mine() LANGUAGE sql AS 'SELECT 1'", r"function gold_.*\.mine\(\)"),
        (
            "CREATE AGGREGATE gold_old.mine (integer) (sfunc = int4pl, stype = integer)",
            r"function gold_.*\.mine\(integer\)",
        ),
        ("CREATE FUNCTION gold_old.mine() RETURNS integer RETURN 1", r"function gold_.*\.mine\(\)"),
    ],
)
def test_routines_that_others_made_at_the_last_moment_are_not_dropped(house: House, statement: str, named: str) -> None:
    assert house.read_model.rebuild(house.progress).swapped

    def look(phase: str, *_: int) -> None:
        if phase == "swap":
            run(house, statement)

    assert house.read_model.rebuild(look).swapped
    with pytest.raises(DependentObjectsError, match=f"{named} depends on schema gold_"):
        house.read_model.rebuild(house.progress)


def test_a_routine_of_others_beside_the_kept_tables_is_named_before_anything_is_built(house: House) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    run(house, "CREATE FUNCTION gold_old.mine() RETURNS integer RETURN 1")
    with pytest.raises(DependentObjectsError, match=r"next to be dropped: function gold_old\.mine\(\); drop them"):
        house.read_model.rebuild(house.progress)


def let_rebuild(house: House, member: str, owner: str) -> House:
    """Give silver and gold to an owner, and the rest that a rebuild needs to a member; return the member's house."""
    (database,) = house.query("SELECT current_database()")[0]
    run(
        house,
        f'GRANT CREATE ON DATABASE "{database}" TO {member}',
        f"ALTER ROLE {member} LOGIN",
        f"GRANT ALL ON SCHEMA events, replay, bronze TO {member}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA events, replay, bronze TO {member}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA events, replay, bronze TO {member}",
    )
    for schema in ("silver", "gold"):
        run(house, f"ALTER SCHEMA {schema} OWNER TO {owner}")
    for (named,) in house.query(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v')"
        " AND relnamespace IN ('gold'::regnamespace, 'silver'::regnamespace)"
    ):
        run(house, f"ALTER TABLE {named} OWNER TO {owner}")
    return House(f"{house.conninfo} user={member}", house.gold)


def test_rights_that_a_role_can_not_give_refuse_its_swap_with_the_reason(house: House) -> None:
    lead, plain = role(house, "lead"), role(house, "plain")
    run(
        house,
        f"GRANT CREATE ON SCHEMA gold TO {lead}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {lead} IN SCHEMA gold GRANT SELECT ON TABLES TO PUBLIC",
    )
    own = let_rebuild(house, plain, plain)
    with pytest.raises(RightsNotCarriedError, match=r"DEFAULT PRIVILEGES FOR ROLE lead_of.*permission denied"):
        own.read_model.rebuild(own.progress)
    assert house.schemas() == ["gold", "silver"]
    run(house, f"ALTER DEFAULT PRIVILEGES FOR ROLE {lead} IN SCHEMA gold REVOKE SELECT ON TABLES FROM PUBLIC")
    for put_in_place in (own.read_model.rebuild, own.read_model.swap_back, own.read_model.rebuild):
        assert put_in_place(own.progress).swapped
    own.close()


def test_a_member_that_does_not_inherit_is_refused_with_the_reason_and_leaves_nothing(house: House) -> None:
    owner, member = role(house, "owner"), role(house, "member")
    run(house, f"GRANT {owner} TO {member} WITH INHERIT FALSE, SET TRUE")
    own = let_rebuild(house, member, owner)
    with pytest.raises(RefusedByDatabaseError, match=r"permission denied for .*: the role needs .*inheritance"):
        own.read_model.rebuild(own.progress)
    run(house, f"GRANT USAGE ON SCHEMA silver, gold TO {member}")
    with pytest.raises(RefusedByDatabaseError) as missing:
        own.read_model.verify(own.progress)
    assert str(missing.value).startswith("permission denied for table ")
    assert "needs SELECT on it to read" in str(missing.value)
    assert "CREATE" not in str(missing.value)
    run(house, f"REVOKE SELECT ON events.stored_events FROM {member}")
    with pytest.raises(RefusedByDatabaseError, match="table stored_events: the role needs SELECT on it"):
        own.read_model.verify(own.progress)
    run(house, f"GRANT SELECT ON events.stored_events TO {member}")
    for schema in ("silver", "gold"):
        run(
            house,
            f"GRANT ALL ON SCHEMA {schema} TO {member}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {member}",
        )
    with pytest.raises(RightsNotCarriedError, match=r"OWNER TO owner_of_.*: permission denied"):
        own.read_model.rebuild(own.progress)
    assert house.schemas() == ["gold", "silver"]
    run(house, f"GRANT {owner} TO {member} WITH INHERIT TRUE")
    assert own.read_model.rebuild(own.progress).swapped
    own.close()


OTHERS = {
    "view": ("CREATE VIEW mine AS SELECT stream_id FROM {}.fact_stock", "DROP VIEW mine"),
    "materialized view": (
        "CREATE MATERIALIZED VIEW mine AS SELECT stream_id FROM {}.fact_stock",
        "DROP MATERIALIZED VIEW mine",
    ),
    "foreign key": (
        "CREATE TABLE mine (stream_id text REFERENCES {}.fact_stock)",
        "ALTER TABLE mine DROP CONSTRAINT mine_stream_id_fkey",
    ),
    "function": (
        "CREATE FUNCTION mine() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM {}.fact_stock; END",
        "DROP FUNCTION mine",
    ),
    "policy": (
        "CREATE TABLE mine (n int); CREATE POLICY seen ON mine USING (n > (SELECT count(*) FROM {}.fact_stock))",
        "DROP TABLE mine",
    ),
}
NAMED = {
    "view": "view public.mine",
    "materialized view": "materialized view public.mine",
    "foreign key": "constraint mine_stream_id_fkey on table public.mine",
    "function": r"function public.mine\(\)",
    "policy": "policy seen on table public.mine",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_others_made_of_live_or_kept_tables_refuses_the_swap_and_the_dropping(house: House, kind: str) -> None:
    create, drop = OTHERS[kind]
    run(house, create.format("gold"))
    with pytest.raises(DependentObjectsError, match=rf"old ones: {NAMED[kind]} \(on gold.fact_stock\); drop them, reb"):
        house.read_model.rebuild(house.progress)
    assert [phase for phase, *_ in house.phases] == [], "it is said before anything is built"
    run(house, drop)
    run(house, "DROP TABLE IF EXISTS mine")
    assert house.read_model.rebuild(house.progress).swapped

    run(house, create.format("gold_old"))
    said = rf"next to be dropped: {NAMED[kind]} \(on gold_old.fact_stock\); drop them"
    with pytest.raises(DependentObjectsError, match=said):
        house.read_model.rebuild(house.progress)
    assert house.schemas() == LIVE_AND_OLD
    with connect(house.conninfo) as conn, pytest.raises(DependentObjectsError, match=r"mine.* depends on"):
        planning.drop_build(conn, "old")
    assert house.schemas() == LIVE_AND_OLD
    run(house, drop)
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == LIVE_AND_OLD


WITHIN = {
    "trigger": ("CREATE TRIGGER tell AFTER INSERT ON gold.fact_stock EXECUTE FUNCTION tell()", "fact_stock"),
    "rule": ("CREATE RULE tell AS ON DELETE TO gold.fact_stock DO ALSO NOTIFY told", "fact_stock"),
    "publication": ("CREATE PUBLICATION tell FOR TABLE gold.fact_stock", "tell"),
    "publication of a schema": ("CREATE PUBLICATION tell FOR TABLES IN SCHEMA gold", "tell"),
    "materialized view": ("CREATE MATERIALIZED VIEW gold.tell AS SELECT 1 AS one", "gold.tell"),
    "sequence": ("CREATE SEQUENCE gold.tell", "gold.tell"),
    "table": ("CREATE TABLE gold.tell (one integer)", "gold.tell"),
    "table of silver": ("CREATE TABLE silver.tell AS SELECT stream_id, 1 AS one FROM silver.stock", "silver.tell"),
    "table like those of silver": ("CREATE TABLE silver.tell AS SELECT * FROM silver.stock", "silver.tell"),
    "view of silver": ("CREATE VIEW silver.tell AS SELECT 1 AS one", "silver.tell"),
    "view like those of silver": ("CREATE VIEW silver.tell_source AS SELECT 1 AS one", "silver.tell_source"),
    "pair like a table of gold and its view": (
        "CREATE VIEW silver.tell_source AS SELECT 1 AS one; CREATE TABLE gold.tell AS SELECT * FROM silver.tell_source",
        "gold.tell, view silver.tell_source",
    ),
    "partitioned table": ("CREATE TABLE gold.tell (one integer) PARTITION BY LIST (one)", "gold.tell"),
    "function": ("CREATE FUNCTION gold.tell() RETURNS int RETURN 1", r"gold.tell\(\)"),
    "type": ("CREATE TYPE silver.tell AS ENUM ('one')", "silver.tell"),
}


@pytest.mark.parametrize("kind", WITHIN)
def test_what_others_made_in_the_live_schemas_refuses_the_swap_and_is_named(house: House, kind: str) -> None:
    statement, name = WITHIN[kind]
    run(house, "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", statement)
    with pytest.raises(DependentObjectsError, match=f"would be left behind with the old tables: .*{name}; drop them"):
        house.read_model.rebuild(house.progress, accept_changes=True)
    assert (house.facts(), house.schemas()) == (STOCKED, ["gold", "silver"])


@pytest.mark.parametrize("kind", ["table", "table of silver", "view of silver", "view like those of silver"])
def test_of_a_build_that_did_not_note_what_it_made_what_is_unlike_it_refuses_the_swap(house: House, kind: str) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    statement, name = WITHIN[kind]
    for schema in ("", "_old"):
        made = statement.replace("gold.", f"gold{schema}.").replace("silver.tell", f"silver{schema}.tell")
        run(house, "UPDATE replay.builds SET made = NULL", made)
        with pytest.raises(DependentObjectsError, match=f"{name.replace('.', f'{schema}.')}; drop them"):
            house.read_model.rebuild(house.progress)
        run(house, made.split(" AS ")[0].split(" (")[0].replace("CREATE", "DROP"))
        assert house.read_model.rebuild(house.progress).swapped


def test_a_table_of_others_is_theirs_though_a_later_definition_has_its_name(house: House) -> None:
    run(house, "CREATE TABLE gold.dim_new AS SELECT 1 AS one")
    (house.gold / "dim_new.sql").write_text("-- comment: New.\n-- key: one\nSELECT 1 AS one")
    with pytest.raises(DependentObjectsError, match=r"left behind with the old tables: table gold\.dim_new; drop them"):
        house.another_read_model().rebuild(house.progress, accept_changes=True)


def test_a_table_that_no_definition_has_any_more_is_a_difference(house: House) -> None:
    (house.gold / "dim_new.sql").write_text("-- comment: New.\n-- key: one\nSELECT 1 AS one")
    assert house.another_read_model().rebuild(house.progress, accept_changes=True).swapped
    rebuilt = house.read_model.rebuild(house.progress)
    assert not rebuilt.swapped
    assert rebuilt.certificate is not None
    assert [table.table for table in rebuilt.certificate.tables if not table.equal] == ["gold.dim_new"]
    assert house.read_model.rebuild(house.progress, accept_changes=True).swapped
    assert house.read_model.rebuild(house.progress).swapped, "what the kept build made is dropped with it"


@pytest.mark.parametrize("put_back", ["rebuild", "swap_back"])
def test_tables_of_a_version_that_did_not_note_what_it_made_pass_for_the_platforms(house: House, put_back: str) -> None:
    (house.gold / "dim_new.sql").write_text("-- comment: New.\n-- key: one\nSELECT 1 AS one")
    newer = house.another_read_model()
    assert newer.rebuild(house.progress, accept_changes=True).swapped
    run(house, "UPDATE replay.builds SET made = NULL")
    assert getattr(house.read_model, put_back)(house.progress, accept_changes=True).swapped
    run(house, "UPDATE replay.builds SET made = NULL")
    assert house.read_model.rebuild(house.progress, accept_changes=True).swapped


def test_tables_and_views_of_the_platform_are_known_without_their_comments(house: House) -> None:
    seen = "-- comment: A view.\n-- key: one\n-- materialized: no\nSELECT 1 AS one"
    (house.gold / "fact_seen.sql").write_text(seen)
    model = house.another_read_model()
    assert model.rebuild(house.progress, accept_changes=True).swapped
    for put_in_place in (model.rebuild, model.swap_back):
        for named in ("TABLE silver.stock", "TABLE gold.fact_stock", "VIEW gold.fact_seen"):
            run(house, f"COMMENT ON {named} IS NULL")
        assert put_in_place(house.progress).swapped


def test_a_view_of_others_in_gold_is_not_put_aside_where_nothing_is_compared(house: House) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    run(house, "CREATE VIEW gold.mine AS SELECT 1 AS one")
    with pytest.raises(DependentObjectsError, match=r"left behind with the old tables: view gold\.mine; drop them"):
        house.read_model.swap_back(house.progress)
    rebuilt = house.read_model.rebuild(house.progress)
    assert not rebuilt.swapped
    assert rebuilt.certificate is not None
    assert [table.table for table in rebuilt.certificate.tables if not table.equal] == ["gold.mine"]


def test_what_others_made_beside_the_kept_tables_is_not_dropped_with_them(house: House) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    run(house, "CREATE TABLE gold_old.mine (one integer)", "COMMENT ON TABLE gold_old.mine IS 'mine'")
    with pytest.raises(DependentObjectsError, match=r"next to be dropped: table gold_old\.mine; drop them"):
        house.read_model.rebuild(house.progress)
    run(house, "DROP TABLE gold_old.mine")
    assert house.read_model.rebuild(house.progress).swapped


def test_what_came_to_hang_on_replaced_tables_at_the_last_moment_keeps_them(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    assert house.read_model.rebuild(house.progress).swapped

    def look(phase: str, *_: int) -> None:
        if phase == "swap":
            run(house, "CREATE VIEW mine AS SELECT stream_id FROM gold_old.fact_stock")

    with caplog.at_level(logging.WARNING):
        assert house.read_model.rebuild(look).swapped
    assert "view public.mine depends on table gold_build_" in caplog.text
    assert house.query("SELECT count(*) FROM mine") == [(2,)]
    with pytest.raises(DependentObjectsError, match="mine depends on table gold_build_"):
        house.read_model.rebuild(house.progress)
    run(house, "DROP VIEW mine")
    assert house.read_model.rebuild(house.progress).swapped
    assert house.schemas() == LIVE_AND_OLD


def test_schemas_of_others_with_a_name_that_was_used_within_a_swap_are_in_nobodys_way(house: House) -> None:
    parting = ["gold_parting", "silver_parting"]
    run(house, *(f"CREATE SCHEMA {name} CREATE TABLE mine (one integer)" for name in parting))
    for put_in_place in (house.read_model.rebuild, house.read_model.swap_back, house.read_model.rebuild):
        assert put_in_place(house.progress).swapped
        assert house.schemas() == sorted(LIVE_AND_OLD + parting)
        assert house.query("SELECT count(*) FROM gold_parting.mine, silver_parting.mine") == [(0,)]


def test_indexes_constraints_and_statistics_of_others_are_named_before_they_stay_behind(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    run(
        house,
        "CREATE INDEX mine ON gold.fact_stock (on_hand)",
        "ALTER TABLE gold.fact_stock ADD CONSTRAINT positive CHECK (on_hand >= 0)",
        "CREATE STATISTICS gold.both ON product_id, on_hand FROM gold.fact_stock",
    )
    said = []

    def listen(phase: str, *_: int) -> None:
        if phase == "swap":
            said.append(caplog.text)

    with caplog.at_level(logging.WARNING):
        assert house.read_model.rebuild(listen).swapped
    for named in (
        "index gold.mine on gold.fact_stock",
        "constraint positive on gold.fact_stock",
        "statistics gold.both",
    ):
        assert named in said[0]
    caplog.clear()
    assert house.read_model.rebuild(house.progress).swapped
    assert caplog.text == ""


def test_without_others_nothing_is_said(house: House, caplog: pytest.LogCaptureFixture) -> None:
    assert house.read_model.rebuild(house.progress).swapped
    assert caplog.text == ""
    with psycopg.connect(house.conninfo) as conn:
        assert conn.execute("SELECT count(*) FROM gold_old.fact_stock").fetchone() == (2,)
