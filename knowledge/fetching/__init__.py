"""Pages and sitemaps in from the public internet, and from nowhere else."""
