"""`/api/llm`: a conversation in, an answer out."""
