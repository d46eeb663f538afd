import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from knowledge.errors import DocumentError
from knowledge.fetching.fetcher import Fetcher, Limits
from tests.knowledge.fetching.conftest import LoopbackSite, Resolver, only_this_server


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for 127.0.0.1 that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_server_that_is_not_there_is_said_plainly() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with Fetcher(ports=frozenset({port}), address_refusal=only_this_server) as fetcher:
            with pytest.raises(DocumentError, match="could not be reached"):
                await fetcher.fetch(f"http://127.0.0.1:{port}/")


async def test_a_name_that_is_unknown_is_said_plainly() -> None:
    class NoNames(Resolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Fetcher(resolver=NoNames([])) as fetcher:
        with pytest.raises(DocumentError, match="host name is unknown"):
            await fetcher.fetch("https://docs.example/")


async def test_a_name_that_no_answer_comes_for_is_given_up() -> None:
    class Silent(Resolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            await asyncio.Event().wait()
            raise AssertionError("the event is never set")

    async with Fetcher(resolver=Silent([]), limits=Limits(connect_secs=0.05)) as fetcher:
        with pytest.raises(DocumentError, match=r"could not be reached within 0\.05 seconds"):
            await fetcher.fetch("https://docs.example/")


async def test_a_host_name_with_too_long_a_part_is_said_plainly() -> None:
    async with Fetcher() as fetcher:
        with pytest.raises(DocumentError, match="not valid"):
            await fetcher.fetch(f"https://{'a' * 64}.example/")


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    runner = web.AppRunner(web.Application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self_signed(tmp_path)).start()
    port = runner.addresses[0][1]
    async with Fetcher(ports=frozenset({port}), address_refusal=only_this_server) as fetcher:
        with pytest.raises(DocumentError, match="certificate is not valid"):
            await fetcher.fetch(f"https://127.0.0.1:{port}/")
    await runner.cleanup()


async def test_a_page_that_does_not_speak_tls_is_refused(site: LoopbackSite, fetcher: Fetcher) -> None:
    with pytest.raises(DocumentError, match="could not be reached"):
        await fetcher.fetch(site.url("/").replace("http:", "https:"))


@pytest.mark.parametrize(
    "raw",
    [
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_makes_no_sense_or_breaks_off_is_refused(
    site: LoopbackSite, fetcher: Fetcher, raw: bytes
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(raw)
        request.transport.close()
        await asyncio.sleep(0)
        return web.Response()

    with pytest.raises(DocumentError, match="try again later"):
        await fetcher.fetch(site.answers("/", answer))
