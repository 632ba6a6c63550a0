"""Configure and run a training."""
