"""Projection: find the latent code w from which a generator reproduces a given image.

`search` is the optimisation, `features` what images are compared by, `results` the files, resuming,
and the self-test on generated images. Read `search` first. Without this folder only the command
`project` fails.
"""
