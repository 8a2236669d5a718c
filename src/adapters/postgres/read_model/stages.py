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


def stages(
    silver: Mapping[str, SilverTable],
    gold: Sequence[GoldDefinition],
    keys: Mapping[str, Sequence[str]],
    schemas: Schemas,
) -> Iterator[Stage]:
    """Yield the stages in their order; the steps of a stage don't depend on each other."""
    indexes = [Step(partial(_index, table, schemas), (name,)) for name, table in silver.items()]
    yield Stage("index", [*indexes, Step(partial(create_functions, schemas=schemas))])
    reads = {each.name: silver.keys() & set(_WORD.findall(each.select)) for each in gold}
    yield Stage(
        "gold", [Step(partial(_create, each, schemas), reads[each.name], 1 + len(each.indexes)) for each in gold]
    )
    # Foreign keys lock both tables, so they are added without a look at the rows; the look locks nobody out.
    yield Stage("gold", [Step(partial(_reference, each, schemas, keys)) for each in gold])
    related = [each for each in gold if each.materialized and each.references]
    yield Stage(
        "gold",
        [Step(partial(_validate, each, schemas), reads[each.name], len(each.references)) for each in related],
    )


def _index(table: SilverTable, schemas: Schemas, conn: Connection) -> None:
    table.index(conn, schemas.silver)
    analyze(conn, schemas.silver, [table.table.name])


def _create(definition: GoldDefinition, schemas: Schemas, conn: Connection) -> None:
    with naming_the_file(definition):
        create_gold(conn, schemas, definition)
    if definition.materialized:
        analyze(conn, schemas.gold, [definition.name])


def _reference(
    definition: GoldDefinition, schemas: Schemas, keys: Mapping[str, Sequence[str]], conn: Connection
) -> None:
    with naming_the_file(definition):
        reference_gold(conn, schemas, definition, keys)


def _validate(definition: GoldDefinition, schemas: Schemas, conn: Connection) -> None:
    with naming_the_file(definition):
        validate_references(conn, schemas, definition)
