"""People, sockets, processes."""
