"""What can go wrong with an embedded service."""


class EmbeddedServiceError(Exception):
    """The embedded Postgres or Redis can't run; the message says why and what to do next."""


class WrongPasswordError(Exception):
    """A service answered but refused the password on file."""
