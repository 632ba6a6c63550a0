"""EVL: decode the features of a frozen ViT."""
