"""Metrics of generated images: do they look like the training set, and do they copy it?

`measure` combines them, each beside its floor. `swd` (sliced Wasserstein distance) and
`frechet_pixels`, which training logs, need no network; `distances` (Fréchet, kernel, precision and
recall) works on features from `inception` or a tagger; `path_length` is the perceptual path length
of a generator.
"""
