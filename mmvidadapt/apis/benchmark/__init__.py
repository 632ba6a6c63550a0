"""Measure time, memory and operations."""
