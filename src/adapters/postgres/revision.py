"""Which content the read models have, in a few characters."""

from __future__ import annotations

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.postgres.read_model.log import READER
from application.ports.analytics import AnalyticsUnavailableError

# The position alone is not enough: a rebuild may put other figures in place at the same position (another schema),
# and a database that was made anew or restored counts its positions again (another server, database or timeline).
_REVISION = """
SELECT concat_ws('.', server.system_identifier, last.timeline_id, base.oid, to_regnamespace(%(schema)s)::oid,
    (SELECT notification_id FROM events.notification_tracking WHERE application_name = %(reader)s))
FROM pg_control_system() server, pg_control_checkpoint() last, pg_database base
WHERE base.datname = current_database()
"""


class PostgresRevision:
    """Names the content of one schema of facts and dimensions: equal names, equal figures."""

    def __init__(self, pool: ConnectionPool, schema: str = "gold") -> None:
        self._pool = pool
        self._values = {"schema": schema, "reader": READER}

    def __call__(self) -> str:
        """Return server, timeline, database, schema and position.

        Raises:
            AnalyticsUnavailableError: the database does not answer, or nothing was projected into it yet.
        """
        try:
            with self._pool.connection() as connection:
                row = connection.execute(_REVISION, self._values).fetchone()
        except psycopg.errors.UndefinedTable as error:
            raise AnalyticsUnavailableError("there are no read models yet: run `dataflow project`") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise AnalyticsUnavailableError(f"the database does not answer: {str(error).strip()}") from error
        assert row is not None
        return str(row[0])
