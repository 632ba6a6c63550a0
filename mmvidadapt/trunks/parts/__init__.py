"""Parts that trunks and methods are made of."""
