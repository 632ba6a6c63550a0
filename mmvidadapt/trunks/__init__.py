"""Import trunks on demand: what is adapted."""
