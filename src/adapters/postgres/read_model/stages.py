"""What is left to do once silver is loaded, in stages: keys and statistics, gold, and the relations of its tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from psycopg import Connection

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.gold_tables import (
    create_functions,
    create_gold,
    create_view,
    naming_the_file,
    reference_gold,
    validate_references,
)
from adapters.postgres.read_model.schemas import Schemas
from adapters.postgres.read_model.silver_tables import SilverTable
from adapters.postgres.read_model.statistics import analyze

_WORD = re.compile(r"\w+")


class Step(NamedTuple):
    """A piece of work within one transaction; it goes over the rows of these silver tables so many `times`."""

    run: Callable[[Connection], None]
    reads: Collection[str] = ()
    times: int = 1


class Stage(NamedTuple):
    """Steps that may run at once, on connections of their own."""

    name: str
    steps: Sequence[Step]


def contents(silver: Mapping[str, SilverTable], gold: Sequence[GoldDefinition], schemas: Schemas) -> Iterator[Stage]:
    """Yield the stages that index silver and select gold; the steps of a stage don't depend on each other."""
    indexes = [Step(partial(_index, table, schemas), (name,)) for name, table in silver.items()]
    yield Stage("index", [*indexes, Step(partial(create_functions, schemas=schemas))])
    tables = [each for each in gold if each.materialized]
    yield Stage(
        "gold",
        [Step(partial(_create, each, schemas), _reads(each, silver), 1 + len(each.indexes)) for each in tables],
    )
    yield Stage("gold", [Step(partial(_view, each, schemas)) for each in gold if not each.materialized])


def references(
    silver: Mapping[str, SilverTable],
    gold: Sequence[GoldDefinition],
    keys: Mapping[str, Sequence[str]],
    schemas: Schemas,
) -> Iterator[Stage]:
    """Yield the stages that add the foreign keys of gold, and check all rows by them."""
    related = [each for each in gold if each.materialized and each.references]
    # Foreign keys lock both tables, so they are added without a look at the rows; the look locks nobody out.
    yield Stage("gold", [Step(partial(_reference, each, schemas, keys)) for each in related])
    yield Stage(
        "gold",
        [Step(partial(_validate, each, schemas, keys), _reads(each, silver), len(each.references)) for each in related],
    )


def _reads(definition: GoldDefinition, silver: Mapping[str, SilverTable]) -> set[str]:
    return silver.keys() & set(_WORD.findall(definition.select))


def _index(table: SilverTable, schemas: Schemas, conn: Connection) -> None:
    table.index(conn, schemas.silver)
    analyze(conn, schemas.silver, [table.table.name])


def _create(definition: GoldDefinition, schemas: Schemas, conn: Connection) -> None:
    with naming_the_file(definition):
        create_gold(conn, schemas, definition)
    analyze(conn, schemas.gold, [definition.name])


def _view(definition: GoldDefinition, schemas: Schemas, conn: Connection) -> None:
    with naming_the_file(definition):
        create_view(conn, schemas, definition)


def _reference(
    definition: GoldDefinition, schemas: Schemas, keys: Mapping[str, Sequence[str]], conn: Connection
) -> None:
    with naming_the_file(definition):
        reference_gold(conn, schemas, definition, keys)


def _validate(
    definition: GoldDefinition, schemas: Schemas, keys: Mapping[str, Sequence[str]], conn: Connection
) -> None:
    with naming_the_file(definition):
        validate_references(conn, schemas, definition, keys)
