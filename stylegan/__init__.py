"""The StyleGAN paper (Karras et al. 2018): train its networks, draw with them, explore their W.

Gives the other packages: `generator.Generator` (z -> w -> images), `latent` (styles by seed or
file, mixed and interpolated), `labelled` (a sample of w with a classifier's predictions),
`whitening` and `linear` (Gaussians, boundaries and directions in W), `figures` (grids and films of
styles) and `dataset` (TFRecords).

To follow one training step read train, graph, networks, ops, loss, dataset. Then schedule
(progressive growing), report (what a run leaves for people), snapshots (files of weights),
preflight. `config` has every knob. `released/` reads NVIDIA's pickles, `metrics/` measures.
"""
