"""Why there is no drill."""


class DrillError(Exception):
    """The drill can't be held; the message says what to do."""
