"""What the errors of Google's speech services mean to a call."""

import grpc
from pipecat.utils.errors import ErrorCategory

_CATEGORIES = {
    grpc.StatusCode.UNAUTHENTICATED: ErrorCategory.AUTHENTICATION,
    grpc.StatusCode.PERMISSION_DENIED: ErrorCategory.AUTHORIZATION,
    grpc.StatusCode.INVALID_ARGUMENT: ErrorCategory.INVALID_REQUEST,
    grpc.StatusCode.NOT_FOUND: ErrorCategory.INVALID_REQUEST,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ErrorCategory.RATE_LIMIT,
    grpc.StatusCode.UNAVAILABLE: ErrorCategory.CONNECTIVITY,
    grpc.StatusCode.DEADLINE_EXCEEDED: ErrorCategory.CONNECTIVITY,
    grpc.StatusCode.INTERNAL: ErrorCategory.SERVER,
    grpc.StatusCode.UNKNOWN: ErrorCategory.SERVER,
}


def category_of(exception: Exception) -> ErrorCategory | None:
    """Why it failed, by the code of gRPC, which Pipecat does not know; None where there is none."""
    code = getattr(exception, "grpc_status_code", None)
    return _CATEGORIES.get(code) if isinstance(code, grpc.StatusCode) else None
