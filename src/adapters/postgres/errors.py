"""What can go wrong with the database, in words of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from application.errors import PlatformError
from application.ports.event_store import ConcurrencyConflictError, StoreRefusedError, StoreUnavailableError


class DataFolderError(PlatformError):
    """The data folder can't be used."""


class RefusedByDatabaseError(StoreRefusedError):
    """The database does not let its role do what the platform needs, or lacks something that it needs."""


def refused(error: psycopg.ProgrammingError) -> RefusedByDatabaseError:
    """Return what the platform says where its role may not do something, or a table is not as it should be."""
    if not isinstance(error, pg.InsufficientPrivilege):
        other = "another version of the platform is at work on this database, or it is being restored"
        return RefusedByDatabaseError(f"{error.diag.message_primary or error}: {other}; see `dataflow doctor`")
    needed = "the role needs CREATE on the database, and must own the platform's schemas, itself or by inheritance"
    return RefusedByDatabaseError(f"{error.diag.message_primary or error}: {needed}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into the ports' errors; what is not expected passes as it is."""
    try:
        yield
    except (pg.UniqueViolation, pg.SerializationFailure, pg.DeadlockDetected) as error:
        raise ConcurrencyConflictError(str(error).strip()) from error
    except pg.ReadOnlySqlTransaction as error:
        raise StoreUnavailableError(f"the database takes no writes: {str(error).strip()}") from error
    except pg.InsufficientPrivilege as error:
        raise refused(error) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise StoreUnavailableError(f"the database does not answer: {str(error).strip()}") from error
