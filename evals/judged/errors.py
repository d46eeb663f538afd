"""Why a language model can't judge, or play a caller."""


class JudgedError(Exception):
    """There is no language model to ask, or it can't be used; the message says what to do."""
