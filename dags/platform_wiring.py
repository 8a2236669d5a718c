"""What the DAGs have in common: names of connections, variables, pools and assets; retries, time-outs and alerts."""

from __future__ import annotations

import os
import re
from asyncio import to_thread
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from airflow.sdk import Asset, Connection, Variable
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

CONNECTIONS = {
    "dataflow_database": "DATAFLOW_DATABASE_URL",
    "dataflow_orders_db": "DATAFLOW_ORDERS_DB_URL",
    "dataflow_catalog": "DATAFLOW_CATALOG_URL",
    "dataflow_alert_webhook": "DATAFLOW_ALERT_WEBHOOK",
    "dataflow_smtp": "DATAFLOW_SMTP_URL",
}
"""Connections, and the settings that their URIs become. One that is not defined leaves the setting as it is."""
VARIABLES = {
    "dataflow_landing": "DATAFLOW_LANDING",
    "dataflow_landing_mapping": "DATAFLOW_LANDING_MAPPING",
    "dataflow_orders_db_mapping": "DATAFLOW_ORDERS_DB_MAPPING",
    "dataflow_artefacts": "DATAFLOW_ARTEFACTS",
    "dataflow_alert_email": "DATAFLOW_ALERT_EMAIL",
}
"""Variables, and the settings that they become."""
POOL = "dataflow_database"
"""The pool of whatever works on the database; as many slots as it bears at once."""

BRONZE = Asset(name="dataflow_bronze", uri="dataflow://platform/bronze")
SILVER = Asset(name="dataflow_silver", uri="dataflow://platform/silver")
GOLD = Asset(name="dataflow_gold", uri="dataflow://platform/gold")

TAGS = ["dataflow", "supply-chain"]


@contextmanager
def platform_settings() -> Iterator[None]:
    """Give the platform its settings from Airflow's secrets backends; don't try again what would only fail again."""
    from entrypoints.tasks import FINAL

    before = dict(os.environ)
    os.environ.update(_from_airflow())
    try:
        yield
    except FINAL as error:
        raise AirflowFailException(str(error)) from error
    finally:
        os.environ.clear()
        os.environ.update(before)


def tell_failure(context: Any) -> None:
    """Tell that a task failed for good."""
    instance = context["task_instance"]
    details = {"dag": instance.dag_id, "task": instance.task_id, "run": instance.run_id}
    _tell("a task failed", {**details, "error": str(context.get("exception"))})


async def tell_late(context: Mapping[str, Any], within: str) -> None:
    """Tell that a run missed its deadline; the triggerer imports this, so it needs this folder on its PYTHONPATH."""
    run = context["dag_run"]
    details = {"dag": run["dag_id"], "run": run["dag_run_id"], "expected within": within}
    await to_thread(_tell, "a run is late", details)


def deadline(within: timedelta) -> DeadlineAlert:
    """Tell somebody when a run is not at its end so long after it was queued."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=within,
        callback=AsyncCallback(tell_late, {"within": str(within)}),
    )


DEFAULTS: dict[str, Any] = {
    "owner": "supply-chain-data",
    "retries": 3,
    "retry_delay": timedelta(seconds=float(os.environ.get("DATAFLOW_RETRY_SECONDS", "30"))),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=1),
    "pool": POOL,
    "on_failure_callback": tell_failure,
}


def _tell(what: str, details: Mapping[str, str]) -> None:
    from entrypoints.tasks.alerts import alert

    alert(what, details, os.environ | _from_airflow())


def _from_airflow() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, setting in CONNECTIONS.items():
        try:
            found[setting] = _url(Connection.get(name))
        except AirflowNotFoundException:
            continue
    for name, setting in VARIABLES.items():
        value = Variable.get(name, default=None)
        if value is not None:
            found[setting] = value
    return found


def _url(connection: Connection) -> str:
    """Return a connection's URL as it was given: Airflow's has no slashes in its path, and says postgres://."""
    scheme, _, rest = connection.get_uri().rpartition("://")
    scheme = scheme.rpartition("://")[2]
    login, at, place = rest.rpartition("@")
    if not place.startswith("%2F"):  # the folder of a socket
        place, mark, query = place.partition("?")
        place = re.sub("%(2F|3A|2C)", lambda quoted: unquote(quoted[0]), place) + mark + query
    return f"{'postgresql' if scheme == 'postgres' else scheme}://{login}{at}{place}"
