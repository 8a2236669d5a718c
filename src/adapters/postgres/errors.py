"""What can go wrong with the database, in words of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from application.errors import PlatformError
from application.ports.event_store import ConcurrencyConflictError, StoreRefusedError, StoreUnavailableError

OTHERS_FIRST = (pg.SerializationFailure, pg.DeadlockDetected)
"""What the server says where the same transaction may succeed once others, who were first, are through."""


class DataFolderError(PlatformError):
    """The data folder can't be used."""


class RefusedByDatabaseError(StoreRefusedError):
    """The database does not let its role do what the platform needs, or lacks something that it needs."""


_ALL = "the platform's role needs CREATE on the database, and must own the platform's schemas, itself or by inheritance"
_OWNER = "a role that owns the platform's schemas and tables, itself or by inheritance, lacks nothing"
_RIGHTS = (
    ("permission denied for database", "the role needs CREATE on the database"),
    ("permission denied for schema", "the role needs USAGE on it, and CREATE to make tables there"),
    ("permission denied for sequence", "the role needs USAGE on it"),
    ("permission denied for function", "the role needs EXECUTE on it"),
    ("permission denied for ", "the role needs SELECT on it to read, INSERT, UPDATE and DELETE to write"),
    ("must be owner of ", "the role must own it"),
)
"""What the server refuses, as its message begins, and the right that it is a matter of; what is not here is `_ALL`."""


def refused(error: psycopg.ProgrammingError) -> RefusedByDatabaseError:
    """Return what the platform says where its role lacks a right, with the right, or a table is not as it should be."""
    said = error.diag.message_primary or str(error)
    if not isinstance(error, pg.InsufficientPrivilege):
        other = "another version of the platform is at work on this database, or it is being restored"
        return RefusedByDatabaseError(f"{said}: {other}; see `dataflow doctor`")
    return RefusedByDatabaseError(f"{said}: {needed(said)}")


def damaged(error: psycopg.Error) -> RefusedByDatabaseError | None:
    """Return what the platform says of the server's own failure, such as data that is corrupted; None of others."""
    if not (error.sqlstate or "").startswith("XX"):
        return None
    said = error.diag.message_primary or str(error)
    return RefusedByDatabaseError(f"{said}: the database failed by itself ({error.sqlstate}); see the server's log")


def cut_short(error: psycopg.Error) -> StoreUnavailableError | None:
    """Return what the platform says of a transaction that the server ended at a limit of time; None of others."""
    if not isinstance(error, pg.IdleInTransactionSessionTimeout | pg.TransactionTimeout):
        return None
    return StoreUnavailableError(f"the database ended a transaction at a limit of time: {str(error).strip()}")


def needed(said: str) -> str:
    """Return the right that a role lacks of which the server said so, and who has it."""
    return next((f"{right}; {_OWNER}" for words, right in _RIGHTS if said.startswith(words)), _ALL)


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into the ports' errors; what is not expected passes as it is."""
    try:
        yield
    except (pg.UniqueViolation, *OTHERS_FIRST) as error:
        raise ConcurrencyConflictError(str(error).strip()) from error
    except pg.ReadOnlySqlTransaction as error:
        raise StoreUnavailableError(f"the database takes no writes: {str(error).strip()}") from error
    except pg.InsufficientPrivilege as error:
        raise refused(error) from error
    except psycopg.InternalError as error:
        if own := cut_short(error) or damaged(error):
            raise own from error
        raise
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise StoreUnavailableError(f"the database does not answer: {str(error).strip()}") from error
