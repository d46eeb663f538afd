"""The knowledge over HTTP: search, indexing, documents and gaps, for the operator."""
