"""Settings of the dashboard: what is refused, and that nobody is let in by mistake."""

from __future__ import annotations

import pytest

from entrypoints.page_settings import Login, PageSettings, from_environment, name_of, require_guarded, role_of
from entrypoints.settings import SettingsError

LOGIN = {
    "DATAFLOW_DASHBOARD_LOGIN_METADATA_URL": "https://id.example/.well-known/openid-configuration",
    "DATAFLOW_DASHBOARD_LOGIN_CLIENT_ID": "dataflow",
    "DATAFLOW_DASHBOARD_LOGIN_CLIENT_SECRET": "s3cret",
    "DATAFLOW_DASHBOARD_LOGIN_REDIRECT_URL": "https://flow.example/oauth2callback",
}


def test_by_default_it_refreshes_every_30_seconds_and_is_not_open() -> None:
    assert from_environment({}) == PageSettings()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_the_loopback_no_login_is_needed(host: str) -> None:
    require_guarded(host, PageSettings())


@pytest.mark.parametrize("host", ["10.0.0.1", "::", "192.168.1.5", "flow.example"])
def test_beyond_the_loopback_a_login_is_needed_or_a_word(host: str) -> None:
    with pytest.raises(SettingsError, match="DATAFLOW_DASHBOARD_OPEN"):
        require_guarded(host, PageSettings())
    require_guarded(host, from_environment(LOGIN))
    require_guarded(host, from_environment({"DATAFLOW_DASHBOARD_OPEN": "yes"}))


def test_a_login_is_whole_and_its_secrets_are_not_shown() -> None:
    made = from_environment(LOGIN).login
    assert isinstance(made, Login)
    assert len(made.cookie_secret) == 64
    assert "s3cret" not in repr(made)
    assert made.cookie_secret not in repr(made)
    with pytest.raises(SettingsError, match="LOGIN_CLIENT_SECRET"):
        from_environment(LOGIN | {"DATAFLOW_DASHBOARD_LOGIN_CLIENT_SECRET": ""})


def test_people_are_named_whatever_their_case() -> None:
    made = from_environment({"DATAFLOW_DASHBOARD_OPERATORS": "Ann@Example.org, bob@example.org,"})
    assert made.operators == ("ann@example.org", "bob@example.org")


@pytest.mark.parametrize(
    ("name", "value"), [("REFRESH_SECONDS", "0"), ("REFRESH_SECONDS", "soon"), ("OPEN", "1"), ("TILES", "https://x/y")]
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"DATAFLOW_DASHBOARD_{name}"):
        from_environment({f"DATAFLOW_DASHBOARD_{name}": value})


BY_CLAIM = from_environment({"DATAFLOW_DASHBOARD_LOGIN_ROLES_CLAIM": "access.roles"})
ANN = {"email": "Ann@Example.org"}


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"access": {"roles": ["operator"]}}, "operator"),
        ({"access.roles": ["viewer", "operator"]}, "operator"),
        ({"access": {"roles": "staff viewer"}}, "viewer"),
        ({"access": {"roles": ["staff"]}}, None),
        ({"access": ["operator"]}, None),
        ({"roles": ["operator"]}, None),
        ({}, None),
        ({"access": {"roles": ["operator"]}, "email_verified": False}, None),
        ({"access": {"roles": ["operator"]}, "email_verified": "false"}, None),
    ],
)
def test_with_a_claim_of_roles_the_provider_says_who_is_what(claims: dict[str, object], role: str | None) -> None:
    assert role_of(BY_CLAIM, ANN | claims) == role


def test_without_one_addresses_say_it_and_a_claim_counts_for_nothing() -> None:
    listed = PageSettings(operators=("ann@example.org",), viewers=("bob@example.org",))
    assert role_of(listed, ANN) == "operator"
    assert role_of(listed, {"email": "bob@example.org"}) == "viewer"
    assert role_of(listed, {"email": "eve@example.org", "roles": ["operator"]}) is None
    assert role_of(PageSettings(), {"email": "eve@example.org", "roles": ["operator"]}) == "viewer"


def test_whoever_has_no_address_is_called_what_the_provider_knows_them_by() -> None:
    assert name_of({"sub": "A-17", "roles": ["operator"]}) == "a-17"
