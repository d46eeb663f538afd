"""Why a parser gives a document up."""


class Refusal(Exception):
    """A document cannot be read; says why and what to do, in words that follow the document's name and a colon."""
