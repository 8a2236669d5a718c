"""Which adapters stand behind the databases and topics of other systems."""

from __future__ import annotations

from application.ports.source_database import SourceDatabase
from entrypoints.settings import SettingsError


def source_database(url: str) -> SourceDatabase:
    """Give a database by its URL; SQLAlchemy is an extra."""
    try:
        from adapters.sql.source_database import SqlSourceDatabase  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("to read a database the extra 'orders-db' must be installed") from error
    return SqlSourceDatabase(url)
