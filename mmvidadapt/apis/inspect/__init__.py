"""Look into models: costs, attention, what they predict."""
