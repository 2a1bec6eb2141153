"""NVIDIA's released networks, read safely: `pickles` reads the file, `names` translates it.

`names.convert` returns variables and a config like those of our own snapshots.
"""
