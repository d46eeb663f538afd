"""`/api/asr`: audio in, words out."""
