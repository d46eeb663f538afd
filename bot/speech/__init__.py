"""The embedded recogniser and voice: a process of their own, and the services that ask it."""
