"""What both models stand on: files, options, pixels, runs and the TensorFlow border; knows no model."""
