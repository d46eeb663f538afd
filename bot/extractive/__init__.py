"""The answerer that runs without a language model: it quotes, it never invents."""
