"""Documents in, passages with citations out."""
