"""ViViT: encode videos by the four pure transformers."""
