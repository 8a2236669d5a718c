"""Where the servers are that `make services` started for the tests."""

import json
import os
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[1] / "build" / "services" / "services.json"


def service_url(name: str, called: str) -> str:
    """The address of a server; where there is none, the test is skipped, unless it must be there."""
    services = json.loads(SERVICES.read_text()) if SERVICES.exists() else {}
    variable = f"DATAFLOW_TEST_{name.upper()}"
    found: str | None = os.environ.get(variable) or services.get(name, {}).get("url")
    if found is None:
        missing = f"no {called}: `make services` starts one, {variable} names one"
        if os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found
