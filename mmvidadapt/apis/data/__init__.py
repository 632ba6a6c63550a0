"""Prepare data: caches of features and tokens, frames, transcoded videos."""
