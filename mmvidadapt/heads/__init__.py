"""Import heads on demand: what several methods share and mmaction2 lacks."""
