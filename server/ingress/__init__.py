"""Sessions: create, offer, media, end."""
