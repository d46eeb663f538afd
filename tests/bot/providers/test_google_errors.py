"""What the errors of Google's speech services mean to a call."""

import pytest
from google.api_core import exceptions
from pipecat.utils.errors import ErrorCategory

from bot.providers.google_errors import category_of


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (exceptions.Unauthenticated("no"), ErrorCategory.AUTHENTICATION),
        (exceptions.PermissionDenied("no"), ErrorCategory.AUTHORIZATION),
        (exceptions.InvalidArgument("no"), ErrorCategory.INVALID_REQUEST),
        (exceptions.ResourceExhausted("no"), ErrorCategory.RATE_LIMIT),
        (exceptions.DeadlineExceeded("no"), ErrorCategory.CONNECTIVITY),
        (exceptions.ServiceUnavailable("no"), ErrorCategory.CONNECTIVITY),
        (exceptions.InternalServerError("no"), ErrorCategory.SERVER),
        (exceptions.OutOfRange("no"), None),
        (ValueError("no"), None),
    ],
)
def test_an_error_means_what_its_code_says(error: Exception, category: ErrorCategory | None):
    assert category_of(error) is category
