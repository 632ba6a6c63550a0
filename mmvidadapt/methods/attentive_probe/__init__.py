"""AttentiveProbe: learned attention over the tokens of a frozen trunk."""
