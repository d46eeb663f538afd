"""A language model that judges replies or plays the caller, and how far it can be trusted."""
