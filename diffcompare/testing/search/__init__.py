"""The search for the point where a derivative is worst."""
