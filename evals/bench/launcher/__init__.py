"""What the launcher is measured by: starts, deaths, deploys, crowds."""
