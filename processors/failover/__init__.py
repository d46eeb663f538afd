"""When a provider fails in the middle of a call, another takes its turn over."""
