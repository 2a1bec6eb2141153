"""Projection: find the latent code w with which a generator draws a given image.

`search` finds it by gradient descent, `features` is what it compares images by, `results` writes
what was found, resumes a stopped run, and tests the search on generated images. Read
`search` first. Nothing else depends on this folder but the command `project`.
"""
