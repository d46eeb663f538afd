"""How fast it starts and answers, and what a call costs, on the real program."""
