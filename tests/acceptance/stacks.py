"""The same platform twice: on the embedded default, and on real servers for everything."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, NamedTuple

import psycopg
from click.testing import CliRunner

from entrypoints.cli.main import cli
from tests.acceptance.home import Home
from tests.foreign_database import postgres_url
from tests.kafka_topics import fresh_topics
from tests.mongo_server import fresh_mongo
from tests.postgres_server import fresh_database
from tests.redis_server import fresh_namespace, redis_url

_HOLD = """
import sys
from pathlib import Path
from adapters.postgres.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
server.stop()
"""
Documents = Mapping[str, list[dict[str, Any]]]


class Platform:
    """The `dataflow` command with settings of its own, run in this process: a story takes many of them."""

    def __init__(self, **settings: object) -> None:
        outside = dict.fromkeys(name for name in os.environ if name.startswith("DATAFLOW_"))
        self._environment = outside | {f"DATAFLOW_{name.upper()}": str(value) for name, value in settings.items()}

    def do(self, *arguments: object) -> str:
        """Run a command that must succeed; return what it prints."""
        done = CliRunner().invoke(cli, [str(each) for each in arguments], env=self._environment)
        assert done.exit_code == 0, f"{arguments} ended with {done.exit_code}: {done.output} {done.exception!r}"
        return done.stdout

    def json(self, *arguments: object) -> Any:
        """Run a command that must succeed and prints JSON."""
        return json.loads(self.do(*arguments, "--json"))


class Stack(NamedTuple):
    """A platform and its star, and how the world around it writes: into the customer's database, into the catalog."""

    platform: Platform
    star: psycopg.Connection
    shop: psycopg.Connection
    shop_url: str
    document: Callable[[Documents], object]


@contextmanager
def embedded(folder: Path) -> Iterator[Stack]:
    """Topic log, JSONB, a cache in process; the customer's database is on the same server."""
    with _server(folder / "home") as home, ExitStack() as stack:
        platform = Platform(home=home.folder)
        platform.do("status")
        with psycopg.connect(home.conninfo("postgres"), autocommit=True) as server:
            server.execute("CREATE DATABASE shop")
        shop = stack.enter_context(psycopg.connect(home.conninfo("shop"), autocommit=True))
        file = folder / "catalog.json"

        def document(documents: Documents) -> None:
            file.write_text(json.dumps(documents))
            platform.do("catalog", "load", file)

        star = stack.enter_context(home.connect())
        yield Stack(platform, star, shop, postgres_url(home.conninfo("shop")), document)


@contextmanager
def _server(folder: Path) -> Iterator[Home]:
    """Have another process use the embedded server, so that it goes on between the commands of this one."""
    command = [sys.executable, "-c", _HOLD, str(folder)]
    with closing(Home(folder)) as home, Popen(command, stdin=PIPE, stdout=PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield home
        holder.stdin.close()


@contextmanager
def full(folder: Path) -> Iterator[Stack]:
    """Kafka, PostgreSQL, Redis and a server of MongoDB's protocol, each with a part of its own for this test."""
    with ExitStack() as stack:
        platform_url, shop_url = (stack.enter_context(fresh_database(name)) for name in ("platform", "shop"))
        kafka = stack.enter_context(fresh_topics())
        mongo = stack.enter_context(fresh_mongo())
        settings = {
            "database_url": platform_url,
            "kafka_bootstrap": kafka.bootstrap,
            "kafka_group": kafka.group,
            "kafka_topic_prefix": kafka.topic_prefix,
            "catalog_url": mongo.url,
            "redis_url": redis_url(),
            "cache_namespace": stack.enter_context(fresh_namespace()),
        }
        platform = Platform(home=folder / "home", **settings)
        platform.do("status")
        star, shop = (stack.enter_context(psycopg.connect(url, autocommit=True)) for url in (platform_url, shop_url))

        def document(documents: Documents) -> None:
            for collection, of_collection in documents.items():
                for fields in of_collection:
                    mongo.owner[collection].replace_one({"_id": fields["_id"]}, fields, upsert=True)

        yield Stack(platform, star, shop, shop_url, document)
