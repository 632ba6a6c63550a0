"""Metrics that mmaction2 lacks."""
