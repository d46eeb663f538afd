"""The record of the calls: who called, what was said, what it rested on, and how to be rid of it."""
