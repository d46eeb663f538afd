"""Failover between providers that keeps what the caller said and what is being answered."""
