"""What both models stand on: files, options, pixels, runs, the border to TensorFlow; no model."""
