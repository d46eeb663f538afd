"""Why mutants can't be held."""


class MutantError(Exception):
    """There is no such thing; the message says what there is."""
