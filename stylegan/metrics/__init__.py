"""Figures of generated images: do they look like the training set, and do they copy it?

`measure` puts the figures together, each beside its floor. `swd` (sliced Wasserstein distance) and
`frechet_pixels`, which a training logs, need no network; `distances` (Frechet, kernel, precision
and recall) works on features, which `inception` or a tagger computes; `path_length` is the
perceptual path length of a generator.
"""
