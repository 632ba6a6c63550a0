"""DualPath: adapt one frozen ViT by a spatial and a temporal path."""
