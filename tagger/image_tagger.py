"""The image tagger: classifies category and attributes of an image, with calibrated probabilities.

It stands in for a shop's own taxonomy service. `fit` trains one from arrays, `ImageTagger` reads
one from an `.npz`, which holds the variables of `net` as float16 and `about`: heads, config,
temperatures and provenance as JSON.
"""

import dataclasses

import numpy as np

from dnnlib import archive, images, knobs, progress
from dnnlib.files import UserError
from dnnlib.runs import Interrupted
from tagger import calibration, net
from tagger import labels as catalogue_labels
from tagger.config import Config

_FORMAT = 'picture-tagger'
_SAVE_EVERY = 200  # updates


def _rate(step, config):
    """Learning rate of update `step`, from 0: linear warm-up, then cosine decay."""
    warmup = min(1.0, (step + 1) / (0.05 * config.steps + 1))
    return config.learning_rate * warmup * (0.5 + 0.5 * np.cos(np.pi * step / config.steps))


def minibatch(count, step, config):
    """Indices of the batch of update `step`, from 0; each epoch is a new permutation."""
    numbers = np.arange(step * config.batch, (step + 1) * config.batch)
    orders = {epoch: np.random.RandomState([config.seed, 43, int(epoch)]).permutation(count)
              for epoch in np.unique(numbers // count)}
    return np.array([orders[number // count][number % count] for number in numbers])


def loss_weights(labels, heads, config, sample_weights):
    """The weight of each image in the loss of each head: {head: float32 [n]}."""
    weights = {}
    for name, values in heads.items():
        weights[name] = (labels[name] >= 0).astype(np.float32)
        if config.class_weights:
            of_values = catalogue_labels.class_weights(labels[name], len(values))
            weights[name] *= of_values[np.maximum(labels[name], 0)]
        if sample_weights is not None:
            weights[name] = weights[name] * np.asarray(sample_weights, np.float32)
    return weights


def _update(training, pictures, labels, weights, config, step):
    """Update number `step`, from 0 -> its loss. Raises UserError if it is not finite."""
    chosen = minibatch(len(pictures), step, config)
    loss = training.step(
        pictures[chosen], {name: np.maximum(known[chosen], 0) for name, known in labels.items()},
        {name: each[chosen] for name, each in weights.items()}, rate=_rate(step, config),
        augmentation=net.augmentation(len(chosen), config.augment,
                                      np.random.RandomState([config.seed, 44, step])))
    if not np.isfinite(loss):
        raise UserError(f'the loss is {loss} at update {step + 1}; start a new '
                        'run with a smaller --learning-rate')
    return loss


def _train(training, pictures, labels, weights, config, *, run, quiet):
    """Train a `net.Training`, from scratch or a run's checkpoint -> {name: array}."""
    step = training.start(config.seed, run and run.latest())
    with progress.bar(total=config.steps, initial=step, what='tagger', unit='step',
                      disable=quiet) as bar:
        while step < config.steps and not (run and run.stopping):
            loss = _update(training, pictures, labels, weights, config, step)
            step += 1
            if run and (run.stopping or step % _SAVE_EVERY == 0 or step == config.steps):
                run.save(training.session, step)
            bar.set_postfix(loss=f'{loss:.3f}', refresh=False)
            bar.update()
    if step < config.steps:
        raise Interrupted(f'{run.folder} is saved at update {step}; the same command resumes')
    return training.values()


class ImageTagger:
    """A trained image tagger; `close` ends its session.

    path: an `.npz` that `save` wrote. threads: CPU threads, 0 takes all.
    Attributes: heads {name: (value, ...)}, side (pixels), about (dict). Raises UserError.
    """

    def __init__(self, path, threads=0):
        with archive.reading(path, 'image tagger of this program', 'give the path of a '
                             'tagger.npz, as run.py train-tagger writes it') as values:
            about = archive.about(values)
            if about['format'] != _FORMAT:
                raise ValueError(f"it is a {about['format']}")
            self._open(archive.finite(values), about, threads)

    @classmethod
    def of(cls, values, about, threads=0):
        """A tagger from the variables and `about` that `fit` makes."""
        tagger = cls.__new__(cls)
        tagger._open(values, about, threads)
        return tagger

    def _open(self, values, about, threads):
        self.about, self.values = about, values
        self.heads = catalogue_labels.read_heads(about)
        for name, classes in self.heads.items():
            if not (len(about['offsets'][name]) == len(classes)
                    and 0 < about['temperatures'][name] < np.inf
                    and np.isfinite(about['offsets'][name]).all()):
                raise ValueError(f"the calibration of '{name}' is not that of its values")
        size = sum(len(classes) for classes in self.heads.values())
        if not all(0 <= i < size for pair in about['impossible'] for i in pair):
            raise ValueError('the impossible pairs are not of its values')
        config = knobs.from_dict(Config, about['config'])
        self.side = config.side
        self._net = net.Classifier(self.heads, config, values, threads)

    def _resized(self, pictures):
        """Images resized to the network's input."""
        pictures = np.asarray(pictures)
        if pictures.shape[1:3] != (self.side, self.side):
            pictures = np.stack([images.square(picture, self.side) for picture in pictures])
        return pictures

    def logits(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> {head: float32 [n, values]}, before the temperature."""
        return {name: values + np.float32(self.about['offsets'][name])
                for name, values in self._net(self._resized(pictures))[1].items()}

    def probabilities(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> {head: float32 [n, values]}, calibrated."""
        return {name: calibration.softmax(values, self.about['temperatures'][name]).astype(
            np.float32) for name, values in self.logits(pictures).items()}

    def features(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> float32 [n, d], activations of the hidden layer."""
        return self._net(self._resized(pictures))[0]

    def tags(self, pictures):
        """The most probable compatible values: list of {head: (value, probability)}."""
        return catalogue_labels.decode(self.probabilities(pictures), self.heads,
                                       self.about['impossible'])

    def close(self):
        """End the session."""
        self._net.close()


def _calibrate(tagger, pictures, truth, weighted):
    """Set the temperatures of a tagger, and the offsets of heads that had class weights.

    weighted: the training labels of those heads.
    """
    logits = tagger.logits(pictures)
    for name, values in tagger.heads.items():
        counts = np.ones([len(values)])
        if name in weighted:
            known = weighted[name][weighted[name] >= 0]
            counts = np.bincount(known, minlength=len(values)) + 0.5
        log_frequency = np.log(counts / counts.max())
        factor, temperature = calibration.adjustment(logits[name], truth[name], log_frequency)
        tagger.about['temperatures'][name] = temperature
        tagger.about['offsets'][name] = (factor * log_frequency).round(4).tolist()


def fit(pictures, labels, heads, config=Config(), *, validation=None, sample_weights=None,
        training=None, run=None, quiet=False):
    """Train a tagger from arrays -> ImageTagger.

    pictures:       uint8 [n, side, side, 3], n > 0.
    labels:         {head: int [n]}, UNKNOWN without one.
    validation:     (images, labels) to calibrate the probabilities on, or None.
    sample_weights: float [n], weight of each image in the loss, or None for equal ones.
    run:            dnnlib.runs.Run to save to and resume from, or None.
    training:       an entered `net.Training` of the same heads and sizes to reuse, without a run,
                    or None.
    quiet:          no progress bar.
    Raises Interrupted if the run was asked to stop, after saving.
    """
    assert pictures.shape[1:] == (config.side, config.side, 3), pictures.shape
    labels = {name: labels[name] for name in heads}
    weights = loss_weights(labels, heads, config, sample_weights)
    if training is None:
        with net.Training(heads, config) as fresh:
            if run:
                run.prepare_saving()
            values = _train(fresh, pictures, labels, weights, config, run=run, quiet=quiet)
    else:
        values = _train(training, pictures, labels, weights, config, run=None, quiet=quiet)
    about = {'format': _FORMAT, 'heads': [[name, list(classes)] for name, classes in heads.items()],
             'config': dataclasses.asdict(config), 'temperatures': dict.fromkeys(heads, 1.0),
             'offsets': {name: [0.0] * len(classes) for name, classes in heads.items()},
             'impossible': catalogue_labels.impossible(labels, heads)}
    tagger = ImageTagger.of(values, about, config.threads)
    if validation is not None and len(validation[0]):
        _calibrate(tagger, *validation, labels if config.class_weights else {})
    return tagger


def save(path, tagger, **made):
    """Write an ImageTagger as an `.npz`. made: JSON-able facts to add to `about`."""
    archive.write(path, {name: value.astype(np.float16) for name, value in tagger.values.items()},
                  dict(tagger.about, **made))
