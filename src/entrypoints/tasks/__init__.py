"""What a scheduler runs: plain functions with JSON in and out, each of which may be run again.

They read the settings like every command. `FINAL` are errors that another attempt would only repeat.
"""

from __future__ import annotations

from application.ports.builds import BuildExistsError, InvalidBuildNameError, InvalidMomentError
from application.ports.rebuild_steps import BuildGoneError, NotCertifiedError
from entrypoints.daily import DayNotOverError, DayNotRunError, QualityError, StarChangedError
from entrypoints.settings import SettingsError
from entrypoints.tasks.rebuilding import CertificateError
from entrypoints.tasks.verifying import BalanceError

FINAL = (
    BalanceError,
    BuildExistsError,
    BuildGoneError,
    CertificateError,
    DayNotOverError,
    DayNotRunError,
    InvalidBuildNameError,
    InvalidMomentError,
    NotCertifiedError,
    QualityError,
    SettingsError,
    StarChangedError,
)
