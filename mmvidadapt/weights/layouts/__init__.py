"""Recognize layouts of weights and rename them."""
