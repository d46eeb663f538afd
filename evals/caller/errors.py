"""What goes wrong with a call."""


class CallError(Exception):
    """The call could not be made or held; the message says what to do next."""
