"""Use trained models: load, classify, merge, convert."""
