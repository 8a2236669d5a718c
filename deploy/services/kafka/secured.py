"""A broker that speaks to its clients over TLS alone and asks them for a password (SASL_SSL, SCRAM-SHA-512).

It is for the tests of just that; `make services` does not start it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import NamedTuple

from deploy.services.install import program
from deploy.services.kafka import KAFKA, start_broker
from deploy.services.process import free_port, run
from deploy.services.server import HOST, Server

USER = "dataflow"

_LISTENERS = """
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller},CLIENT://{host}:{secured}
advertised.listeners=BROKER://{host}:{port},CLIENT://{host}:{secured}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={keystore}
ssl.keystore.password={password}
"""


class Secured(NamedTuple):
    """How a client reaches the broker: where, with which certificate, and which password of USER."""

    address: str
    certificate: Path
    password: str


def access(folder: Path) -> Secured:
    """Return how to reach the secured listener of the broker whose data are in `folder`."""
    return Secured((folder / "address").read_text(), folder / "broker.pem", _password(folder))


def certify(folder: Path, password: str) -> Path:
    """Make a key with a certificate of its own for the loopback; return the key store, with broker.pem beside it."""
    keytool = program("keytool", "default-jre-headless")
    store = folder / "broker.p12"
    common: list[str | Path] = [keytool, "-alias", "broker", "-keystore", store, "-storepass", password]
    key = ["-keyalg", "EC", "-validity", "2", "-dname", f"CN={HOST}", "-ext", f"SAN=ip:{HOST}", "-ext", "bc=ca:true"]
    run([*common, "-genkeypair", *key])
    run([*common, "-exportcert", "-rfc", "-file", folder / "broker.pem"])
    return store


def _start(folder: Path, port: int) -> int:
    password, secured = _password(folder), free_port()
    store = folder / "broker.p12" if (folder / "broker.p12").exists() else certify(folder, password)
    (folder / "address").write_text(f"{HOST}:{secured}")
    credentials = [f"SCRAM-SHA-512=[name={USER},password={password}]"]
    return start_broker(folder, port, _LISTENERS, credentials, secured=secured, keystore=store, password=password)


def _password(folder: Path) -> str:
    file = folder / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


SECURED = Server("kafka-secured", KAFKA.install, _start, KAFKA.answers, url=KAFKA.url)
