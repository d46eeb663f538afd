"""What goes wrong with results."""


class ReportError(Exception):
    """There is nothing to report on or to compare, or it can't be written; the message says what to do."""
