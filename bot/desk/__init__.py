"""Single requests, answered by the services that calls use, in a process that no call depends on."""
