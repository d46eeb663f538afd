"""What the doubles of Google Cloud have in common: TLS on loopback, an account, and gRPC that fails when told to."""

from __future__ import annotations

import asyncio
import datetime
import functools
import ipaddress
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.vendors.faults import Fault, Faults

PROJECT = "a-project"
EMAIL = "jarvis@a-project.iam.gserviceaccount.com"
GARBAGE = b"\xff\xff\xff\xff<html>"


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - hour)
        .not_valid_after(now + 48 * hour)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CERTIFICATE = _certificate(KEY)
# gRPC reads the certificates that it trusts once a process, from where this variable says: another process that is to
# trust a double is given the variable, too.
FOLDER = tempfile.TemporaryDirectory(prefix="google-roots-")
ROOTS = Path(FOLDER.name) / "roots.pem"
ROOTS.write_bytes(CERTIFICATE)
os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(ROOTS)


@functools.cache
def _other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account_file(folder: Path, *, is_known: bool = True) -> Path:
    """The key file of the service account that the doubles admit, or of one that they don't know."""
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": _pem(KEY if is_known else _other_key()).decode(),
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": "https://127.0.0.1:1/token",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account))
    return path


class Wire:
    """Carries bytes between clients and a server on another port, so that connections can break as they do outside."""

    def __init__(self, faults: Faults):
        self._faults = faults
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._pumps: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def to(self, port: int) -> AsyncIterator[str]:
        """Yield `host:port` that leads to the port."""
        server = await asyncio.start_server(functools.partial(self._accept, port), "127.0.0.1", 0)
        host, own_port = server.sockets[0].getsockname()[:2]
        try:
            yield f"{host}:{own_port}"
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    def break_off(self) -> None:
        """Aborts all connections."""
        for writer in self._open:
            writer.transport.abort()

    def freeze(self) -> None:
        """Nothing is read or written any more; connections stay open."""
        self._flows.clear()

    async def _accept(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._faults.fault == "refuse" and self._faults.next():
            writer.transport.abort()
            return
        to_server = await asyncio.open_connection("127.0.0.1", port)
        self._open |= {writer, to_server[1]}
        for source, sink in ((reader, to_server[1]), (to_server[0], writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        self._open.discard(sink)
        sink.close()


@dataclass
class GoogleCloud:
    """A service of Google Cloud that admits one account, by the JWT that its clients sign for `audience`."""

    audience: str
    faults: Faults = field(default_factory=Faults)
    _wire: Wire = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._wire = Wire(self.faults)

    @asynccontextmanager
    async def serving(self, service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> AsyncIterator[str]:
        """Yield `host:port`."""
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(_pem(KEY), CERTIFICATE)]))
        await server.start()
        try:
            async with self._wire.to(port) as endpoint:
                yield endpoint
        finally:
            await server.stop(None)

    async def admit(self, context: grpc.aio.ServicerContext[Any, Any]) -> Fault | None:
        """The fault of this request that concerns its answer; any other is done here, and the request ends."""
        fault = self.faults.next()
        metadata = dict(context.invocation_metadata() or ())
        if fault == "unauthorized" or not self._knows(str(metadata.get("authorization", ""))):
            await refuse(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential.",
            )
        if fault == "rate_limited":
            seconds = int(self.faults.retry_after)
            retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds))
            message = f"Quota exceeded for quota metric 'Requests' of service '{self.audience}'."
            await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, message, retry)
        if fault == "server_error":
            await refuse(context, grpc.StatusCode.INTERNAL, "Internal error encountered.")
        if fault == "stall":
            await self.hang()
        if fault == "half_open":
            self._wire.freeze()
            await self.hang()
        if fault == "refuse":
            await self.drop()
        return fault

    async def hang(self) -> NoReturn:
        """Leaves the request without a further word."""
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def drop(self) -> NoReturn:
        """Aborts the connection."""
        self._wire.break_off()
        await self.hang()

    def _knows(self, authorization: str) -> bool:
        public = KEY.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), certs=public, audience=self.audience)
        except ValueError:
            return False
        return claims["iss"] == EMAIL


async def refuse(context: Any, code: grpc.StatusCode, message: str, detail: Any = None) -> NoReturn:
    """Ends the request with an error as Google tells it."""
    status = status_pb2.Status(code=code.value[0], message=message)
    if detail is not None:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status raises")


def wire_bytes(message: Any) -> bytes:
    """A message of proto-plus, or bytes as they are, on the wire."""
    return message if isinstance(message, bytes) else type(message).serialize(message)
