"""All servers that the tests can ask for."""

from deploy.services.kafka import KAFKA
from deploy.services.mongo import MONGO
from deploy.services.postgres import POSTGRES
from deploy.services.redis import REDIS
from deploy.services.server import Server

SERVERS: dict[str, Server] = {server.name: server for server in (KAFKA, POSTGRES, REDIS, MONGO)}
VARIABLES = {
    "kafka": "DATAFLOW_TEST_KAFKA",
    "redis": "DATAFLOW_TEST_REDIS",
    "postgres": "DATAFLOW_TEST_POSTGRES",
    "mongo": "DATAFLOW_TEST_MONGO",
}
