"""The operator's key: what the HTTP interface asks of everyone who is not a caller."""

import hmac


class OperatorKey:
    """Tells the operator from everyone else."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def matches(self, shown: str) -> bool:
        """Whether this is the key; takes as long for any other."""
        return hmac.compare_digest(self._key, shown.encode())
