"""Silver and gold in PostgreSQL: followed live, rebuilt aside, certified, swapped."""

from adapters.postgres.read_model.read_model import PostgresReadModel

__all__ = ["PostgresReadModel"]
