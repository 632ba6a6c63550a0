"""Building blocks: torch only, no registry, one idea a file."""
