"""What goes wrong between a call and the speech process."""


class SpeechError(Exception):
    """The embedded recogniser or voice could not do what it was asked."""


class SpeechUnavailableError(SpeechError):
    """The speech process did not answer; the same request may succeed a moment later."""


class SpeechRequestError(SpeechError):
    """The request itself is wrong and will fail again unchanged."""
