"""AIM: adapt image models by spatial, temporal and joint adapters."""
