"""What a language model can do in a call besides talking."""
