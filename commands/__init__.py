"""The commands of run.py: for each its options, then what it does, read from top to bottom.

This is the only layer that sees every package. What a command needs it imports at its top, not at
the top of the file, so that `--help` and the light commands start without TensorFlow.
Read: data, training, launch, products, texts, steering, rare, measure, explore. `options` has
options that several commands take, `inputs` finds the models and the catalogue that they read.
"""
