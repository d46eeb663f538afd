"""Callers that a language model plays, and the rules by which a run that it spoilt is discarded."""
