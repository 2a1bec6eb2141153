"""StyleGAN v1: growing, training and drawing; knows nothing of text or products."""
