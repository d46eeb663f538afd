"""`/api/tts`: a text in, speech out."""
