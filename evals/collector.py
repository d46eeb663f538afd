"""An OpenTelemetry collector on loopback that keeps what it is sent, to look through it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATH = "/v1/traces"
# Numbers that are of no call: a pattern of digits must not find itself in them.
_COUNTED = ("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano")


class Collector:
    """Listens from its making on, in a thread of its own; `bodies` are the requests as they came."""

    def __init__(self) -> None:
        self.bodies = bodies = list[bytes]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200 if self.path == PATH else 404)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def spans(self) -> list[Any]:
        """All spans so far."""
        return [span for _, span in self._sent()]

    def trace_of(self, session: str) -> str:
        """All that the spans of a call say, and of what sent them; empty until its last span, `conversation`, came."""
        sent = list(self._sent())
        traces = {span.trace_id for _, span in sent if span.name == "conversation" and _is_of(span, session)}
        return "\n".join(f"{resource}{_words(span)}" for resource, span in sent if span.trace_id in traces)

    def close(self) -> None:
        """Listens no more. Blocks."""
        self._server.shutdown()
        self._server.server_close()

    def _sent(self) -> Iterator[tuple[Any, Any]]:
        for body in [*self.bodies]:
            for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                yield from ((each.resource, span) for scope in each.scope_spans for span in scope.spans)


def _is_of(span: Any, session: str) -> bool:
    return any(each.key == "conversation.id" and each.value.string_value == session for each in span.attributes)


def _words(span: Any) -> Any:
    said = type(span)()
    said.CopyFrom(span)
    for field in _COUNTED:
        said.ClearField(field)
    return said
