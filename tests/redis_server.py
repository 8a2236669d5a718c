"""A real Redis for the tests, with keys of its own for each of them."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from adapters.redis.cache import RedisCache

SERVICES = Path(__file__).parents[1] / "build" / "services" / "services.json"


def redis_url() -> str:
    """The Redis that `make services` started; where there is none, the test is skipped, unless it must be there."""
    services = json.loads(SERVICES.read_text()) if SERVICES.exists() else {}
    found: str | None = os.environ.get("DATAFLOW_TEST_REDIS") or services.get("redis", {}).get("url")
    if found is None:
        missing = "no Redis: `make services` starts one, DATAFLOW_TEST_REDIS names one"
        if os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def fresh_namespace() -> Iterator[str]:
    """What the keys of one test begin with; they are deleted at the end."""
    namespace = f"test-{uuid4().hex[:12]}"
    yield namespace
    with closing(Redis.from_url(redis_url())) as redis:
        for key in redis.scan_iter(f"{namespace}:*"):
            redis.delete(key)


@contextmanager
def fresh_cache(patience: float = 5.0) -> Iterator[RedisCache]:
    """An empty cache."""
    with fresh_namespace() as namespace, closing(RedisCache(redis_url(), namespace, patience)) as cache:
        yield cache
