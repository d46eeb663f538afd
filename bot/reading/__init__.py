"""How what is written for the eye is read to the ear: the text that goes to a voice."""
