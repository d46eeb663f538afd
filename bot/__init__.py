"""What one call is."""
