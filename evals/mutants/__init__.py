"""Bots with one defect each, which the suite must catch."""
