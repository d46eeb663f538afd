"""What lies between a caller's mouth and the bot: a room, a codec, a network."""
