"""Adapt a frozen ViT frame by frame: the baselines, one file each."""
