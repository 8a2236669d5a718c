"""All servers that the tests can ask for."""

from deploy.services.kafka import KAFKA
from deploy.services.server import Server

SERVERS: dict[str, Server] = {server.name: server for server in (KAFKA,)}
VARIABLES = {
    "kafka": "DATAFLOW_TEST_KAFKA",
    "redis": "DATAFLOW_TEST_REDIS",
    "postgres": "DATAFLOW_TEST_POSTGRES",
    "mongo": "DATAFLOW_TEST_MONGO",
}
