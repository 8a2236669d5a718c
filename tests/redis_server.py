"""A real Redis for the tests, with keys of its own for each of them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

from redis import Redis

from adapters.redis.cache import RedisCache
from tests.services import service_url


def redis_url() -> str:
    """The Redis that `make services` started."""
    return service_url("redis", "Redis")


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
