"""Why there is no figure."""


class BenchError(Exception):
    """Nothing can be measured; the message says what to do."""
