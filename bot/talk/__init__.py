"""Requests about the talk itself: again, slower, louder, shorter, where from, spelled out, one moment, goodbye."""
