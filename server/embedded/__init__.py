"""Postgres and Redis as child processes, where no URL is set."""
