"""Find and download weights: sources, downloads, cache."""
