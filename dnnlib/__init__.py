"""What both models stand on: files, options, pixels, runs, the TensorFlow border; knows no model."""
