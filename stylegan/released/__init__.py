"""The networks that NVIDIA released, read safely: `pickles` reads the file, `names` translates it.

`names.convert` gives `stylegan.snapshots` variables and a config like those of our own snapshots.
"""
