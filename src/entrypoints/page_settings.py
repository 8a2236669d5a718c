"""Settings of the dashboard from the environment: how often it refreshes, the map's tiles, and who may do what."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal

from entrypoints.settings import SettingsError

_LOGIN = "DATAFLOW_DASHBOARD_LOGIN_"
_NEEDED = ("METADATA_URL", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URL")
_MOST_SECONDS = 3_600
Role = Literal["viewer", "operator"]


@dataclass(frozen=True, slots=True)
class Login:
    """A client at an OpenID Connect provider; `cookie_secret` signs the cookie that says who is logged in."""

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    cookie_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What can be set of the dashboard.

    `tiles` is an address with {z}, {x} and {y}, whose pictures lie under the map; without, the map has land and
    borders of its own. With a `login`, whoever logs in may look, or only `viewers` where there are some; only
    `operators` settle quarantined messages. With a `roles_claim` the provider says who is what: that claim of the
    token lists `operator_role` or `viewer_role`, and whoever has neither may not look. `open` lets it listen beyond
    the loopback without a login.
    """

    refresh_seconds: int = 30
    tiles: str | None = None
    open: bool = False
    login: Login | None = None
    operators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    roles_claim: str | None = None
    operator_role: str = "operator"
    viewer_role: str = "viewer"


def from_environment(environment: Mapping[str, str]) -> PageSettings:
    """Read the variables DATAFLOW_DASHBOARD_*.

    Raises:
        SettingsError: a value can't be used; the message names the variable and what it takes.
    """
    tiles = environment.get("DATAFLOW_DASHBOARD_TILES") or None
    if tiles is not None and not (
        tiles.startswith(("https://", "http://")) and all(part in tiles for part in ("{z}", "{x}", "{y}"))
    ):
        raise SettingsError("DATAFLOW_DASHBOARD_TILES takes an address with {z}, {x} and {y} in it")
    opened = (environment.get("DATAFLOW_DASHBOARD_OPEN") or "no").lower()
    if opened not in {"yes", "no"}:
        raise SettingsError(f"DATAFLOW_DASHBOARD_OPEN is {opened!r}; it takes yes or no")
    return PageSettings(
        _seconds(environment),
        tiles,
        opened == "yes",
        _login(environment),
        _people(environment, "DATAFLOW_DASHBOARD_OPERATORS"),
        _people(environment, "DATAFLOW_DASHBOARD_VIEWERS"),
        environment.get(f"{_LOGIN}ROLES_CLAIM") or None,
        environment.get(f"{_LOGIN}OPERATOR_ROLE") or PageSettings().operator_role,
        environment.get(f"{_LOGIN}VIEWER_ROLE") or PageSettings().viewer_role,
    )


def name_of(claims: Mapping[str, Any]) -> str:
    """Return what whoever logged in is called: the address, else what the provider knows them by."""
    return str(claims.get("email") or claims.get("sub") or "").lower()


def role_of(page: PageSettings, claims: Mapping[str, Any]) -> Role | None:
    """Return the role of whoever logged in with these claims; None: they may not look."""
    if str(claims.get("email_verified", True)).lower() == "false":
        return None
    name, roles = name_of(claims), _roles(page.roles_claim, claims)
    if name in page.operators or page.operator_role in roles:
        return "operator"
    listed = page.viewers or page.roles_claim
    return None if listed and name not in page.viewers and page.viewer_role not in roles else "viewer"


def _roles(claim: str | None, claims: Mapping[str, Any]) -> set[str]:
    """Return the roles that a claim lists; its name is a whole one, or a way into others: `realm_access.roles`."""
    if claim is None:
        return set()
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return set(found.replace(",", " ").split())
    return {str(each) for each in found} if isinstance(found, list | tuple) else set()


def require_guarded(host: str, page: PageSettings) -> None:
    """Check that a page that listens beyond the loopback has a login, or is open on purpose.

    Raises:
        SettingsError: it has none.
    """
    if page.login is None and not page.open and not _is_loopback(host):
        raise SettingsError(
            f"DATAFLOW_DASHBOARD_HOST is {host}, which others can reach, and there is no login: set "
            f"{_LOGIN}METADATA_URL and its kin, or DATAFLOW_DASHBOARD_OPEN=yes to let everyone in"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(environment: Mapping[str, str]) -> int:
    text = environment.get("DATAFLOW_DASHBOARD_REFRESH_SECONDS") or f"{PageSettings().refresh_seconds}"
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SECONDS:
        raise SettingsError(
            f"DATAFLOW_DASHBOARD_REFRESH_SECONDS is {text!r}; it takes a whole number from 1 to {_MOST_SECONDS:,}"
        )
    return int(text)


def _people(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(each.strip().lower() for each in environment.get(name, "").split(",") if each.strip())


def _login(environment: Mapping[str, str]) -> Login | None:
    given = {name: environment.get(f"{_LOGIN}{name}", "") for name in _NEEDED}
    if not any(given.values()):
        return None
    missing = [f"{_LOGIN}{name}" for name, value in given.items() if not value]
    if missing:
        raise SettingsError(f"a login needs {', '.join(missing)} too")
    # Without a secret of one's own, a restart logs everyone out.
    cookie_secret = environment.get(f"{_LOGIN}COOKIE_SECRET") or secrets.token_hex(32)
    return Login(**{name.lower(): value for name, value in given.items()}, cookie_secret=cookie_secret)
