"""What a scheduler runs: plain functions with JSON in and out, each of which may be run again.

They read the settings like every command. `FINAL` are errors that another attempt would only repeat.
"""

from __future__ import annotations

from entrypoints.daily import DayNotOverError, DayNotRunError, QualityError, StarChangedError
from entrypoints.settings import SettingsError
from entrypoints.tasks.rebuilding import CertificateError
from entrypoints.tasks.verifying import BalanceError

FINAL = (
    BalanceError,
    CertificateError,
    DayNotOverError,
    DayNotRunError,
    QualityError,
    SettingsError,
    StarChangedError,
)
