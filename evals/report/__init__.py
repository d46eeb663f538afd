"""What scenarios came to, for people: a page that shows every run, and what changed between two."""
