import collections
import dataclasses
import json
import os
import shutil
import signal
import types

import numpy as np
import pytest

from dnnlib import files, runs, tflib
from dnnlib.accumulation import NotFinite
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import data, encoder, snapshots, train, write
from gpt2.config import FREE, Network, Training

Product = collections.namedtuple('Product', 'description tags category key')

PRODUCTS = [Product(f'A {colour} dress, {length}.\n- Imported', (colour, length, 'dress'),
                    'dress', colour + length)
            for colour in ('red', 'blue', 'navy', 'white') for length in ('mini', 'midi', 'maxi')]
NETWORK = Network(n_vocab=300, n_ctx=24, n_embd=16, n_head=2, n_layer=1)
CONFIG = Training(steps=6, batch=2, window=24, learning_rate=0.01, warmup=2, held_out=0.2,
                  validate_every=2, sample_every=4, save_every=3, threads=1, clip=1.0)


def go(folder, config=CONFIG, products=PRODUCTS, **more):
    run = runs.Run(folder, dataclasses.asdict(config), free=FREE)
    train.train(run, products, NETWORK, config, **more)
    return folder


def state(folder):
    """Every variable of the newest checkpoint."""
    reader = tf.train.load_checkpoint(runs.latest_checkpoint(folder))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def history(folder):
    lines = (folder / 'progress.jsonl').read_text(encoding='utf-8').splitlines()
    return [json.loads(line) for line in lines]


def test_running_out_of_memory_ends_in_advice(monkeypatch, tmp_path):
    def exhausted(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, 'OOM')
    monkeypatch.setattr(train, 'step', exhausted)
    with pytest.raises(UserError, match='a batch of 2 times 24 tokens; add --accumulate 2'):
        go(tmp_path)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    return go(tmp_path_factory.mktemp('run'))


def stop_after(monkeypatch, updates):
    """Have the process ask itself to stop, as `kill` would, during that update."""
    step = train.step

    def stopping(sess, graph, corpus, config, number):
        if number == updates - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(sess, graph, corpus, config, number)
    monkeypatch.setattr(train, 'step', stopping)


@pytest.mark.parametrize('updates', [pytest.param(1, marks=pytest.mark.slow), 4])
def test_stopped_and_resumed_is_bitwise_not_stopped(trained, tmp_path, monkeypatch, updates):
    with monkeypatch.context() as patch:
        stop_after(patch, updates)
        with pytest.raises(runs.Interrupted):
            go(tmp_path)
    assert state(tmp_path)['step'] == updates
    go(tmp_path)
    whole, parts = state(trained), state(tmp_path)
    assert whole['step'] == CONFIG.steps and set(whole) == set(parts)
    assert any('Adam' in name for name in whole)
    for name in whole:
        assert np.array_equal(whole[name], parts[name]), name
    for path in (trained / 'snapshot').iterdir():
        if path.name != 'snapshot.json':  # its training loss is a mean since the last start
            assert path.read_bytes() == (tmp_path / 'snapshot' / path.name).read_bytes(), path.name
    assert [line['held_out_loss'] for line in history(trained)] == [
        line['held_out_loss'] for line in history(tmp_path)]


@pytest.mark.slow
def test_stopped_and_resumed_with_dropout_is_bitwise_not_stopped(tmp_path, monkeypatch):
    """And each part of a batch has masks of its own, with layers computed again or not."""
    config = dataclasses.replace(CONFIG, dropout=0.2, accumulate=2, recompute=True)
    whole = state(go(tmp_path / 'whole', config))
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(runs.Interrupted):
            go(tmp_path / 'parts', config)
    parts = state(go(tmp_path / 'parts', config))
    assert whole['step'] == CONFIG.steps and set(whole) == set(parts)
    for name in whole:
        assert np.array_equal(whole[name], parts[name]), name


@pytest.mark.slow
def test_dropout_changes_the_training_and_not_the_measuring(tmp_path):
    still = dataclasses.replace(CONFIG, learning_rate=0.0, steps=1)
    plain, dropped = [history(go(tmp_path / str(rate), dataclasses.replace(still, dropout=rate)))
                      for rate in (0.0, 0.3)]
    assert plain[0]['loss'] != dropped[0]['loss']
    for name in ('held_out_loss', 'distinct_1', 'overlap'):
        assert plain[0][name] == dropped[0][name], name


def test_16_bits_learn_on_tensorflow_2_and_are_refused_on_1(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(tflib, 'cpu_has_bfloat16', lambda: True)
    config = dataclasses.replace(CONFIG, bfloat16=True)
    if tf.__version__.startswith('1.'):
        with pytest.raises(UserError, match='--bfloat16'):
            go(tmp_path, config)
        return
    ours, exact = state(go(tmp_path, config)), state(trained)
    for name in ('model/wte', 'model/h0/attn/c_attn/w'):
        assert ours[name].dtype == np.float32
        assert 0 < np.abs(ours[name] - exact[name]).max() < 0.1, name


def test_a_finished_run_has_nothing_left_to_do(trained):
    before = (trained / 'snapshot' / 'weights.npz').stat().st_mtime
    go(trained)
    assert (trained / 'snapshot' / 'weights.npz').stat().st_mtime == before


def test_the_run_folder_holds_losses_samples_and_the_best_weights(trained):
    lines = history(trained)
    assert [line['step'] for line in lines] == [2, 4, 6]
    for line in lines:
        assert line['held_out_perplexity'] == pytest.approx(np.exp(line['held_out_loss']))
    best = min(lines, key=lambda line: line['held_out_loss'])
    assert snapshots.read(trained / 'snapshot').facts['step'] == best['step']
    last = snapshots.read(trained / 'last')
    assert last.facts['step'] == 6
    assert np.array_equal(last.weights['model/wte'], state(trained)['model/wte'])
    assert sorted(path.name for path in trained.glob('samples-*.txt')) == [
        'samples-000004.txt', 'samples-000006.txt']
    assert list((trained / 'tensorboard').iterdir())
    assert [('overlap' in line, 'overlap_held_out' in line) for line in lines] == [
        (False, False), (True, True), (True, True)]
    assert 'overlap_share_held_out' in (trained / 'samples-000006.txt').read_text(encoding='utf-8')
    assert len(write.Writer(trained).texts(['red dress'], seeds=[1])) == 1


def test_it_learns(tmp_path):
    """Far below what knowing only the frequencies of characters gives."""
    config = dataclasses.replace(CONFIG, steps=150, batch=8, validate_every=75, sample_every=150,
                                 save_every=150, learning_rate=0.02)
    lines = history(go(tmp_path, config))
    assert lines[-1]['held_out_loss'] < 1.5  # of 5.7 for a uniform guess


def test_no_held_out_products_no_held_out_number(tmp_path):
    go(tmp_path, dataclasses.replace(CONFIG, held_out=0.0, steps=2))
    last = history(tmp_path)[-1]
    assert {'step', 'loss', 'overlap'} <= set(last) and not [key for key in last if 'held' in key]
    assert snapshots.read(tmp_path / 'snapshot').facts['step'] == 2


def test_held_out_products_are_not_trained_on():
    dataset = train.prepare(PRODUCTS, CONFIG, size=300)
    ours, others = data.split(PRODUCTS, CONFIG.held_out, CONFIG.seed)
    decode_ = dataset.training.encoder.decode
    assert {decode_(document.ids) for document in dataset.training.documents} == {
        product.description for product in ours}
    validated = ''.join(decode_(row) for tokens, _ in dataset.validation for row in tokens)
    assert not any(product.description in validated for product in ours)
    assert any(product.description in validated for product in others)


@pytest.mark.slow
def test_the_held_out_loss_is_the_mean_over_the_tokens_of_single_documents(tmp_path):
    """The same for other windows and batches: at a learning rate of 0 nothing else differs."""
    losses = []
    for i, changes in enumerate([dict(), dict(pack='stream'), dict(batch=3)]):
        config = dataclasses.replace(CONFIG, learning_rate=0.0, steps=1, **changes)
        losses.append(history(go(tmp_path / str(i), config))[-1]['held_out_loss'])
    assert losses[0] == losses[1] == pytest.approx(losses[2], rel=1e-6)


@pytest.mark.slow
def test_encoded_documents_train_as_their_texts_do(trained, tmp_path):
    products = [product._replace(tags=(), key=product.description) for product in PRODUCTS]
    start = snapshots.read(trained)
    first = go(tmp_path / 'texts', products=products, start=start)
    path, = first.glob('encoded-*.npz')
    documents = data.read(path, start.encoder)
    second = go(tmp_path / 'ids', products=documents, start=start)
    assert history(first) == history(second)


@pytest.mark.parametrize('accumulate', [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_step_that_is_not_finite_changes_nothing(tmp_path, monkeypatch, accumulate):
    """Neither weights nor moments nor counters: undisturbed, the same session goes on bitwise."""
    config = dataclasses.replace(CONFIG, accumulate=accumulate)
    whole = state(go(tmp_path / 'whole', config))
    windows, calls = data.windows, []
    infinity = np.float32(1e38)  # times a loss of 5 it is one

    def infinite(*args, **options):
        tokens, weights = windows(*args, **options)
        weights[-1] *= infinity  # in the second part, where there are two
        return tokens, weights

    step = train.step

    def disturbed(*args):
        with monkeypatch.context() as patch:
            patch.setattr(data, 'windows', infinite)
            with pytest.raises(NotFinite):
                step(*args)
        calls.append(args[-1])
        return step(*args)
    monkeypatch.setattr(train, 'step', disturbed)
    parts = state(go(tmp_path / 'parts', config))
    assert calls == list(range(6)) and set(whole) == set(parts)
    for name in whole:
        assert np.array_equal(whole[name], parts[name]), name


@pytest.fixture
def infinite(monkeypatch):
    """Make `steps`, which are counted from 1 on over restarts, have an infinite loss.

    Attributes: steps, a set; rates, the learning rates of all steps.
    """
    windows, step, made = data.windows, train.step, types.SimpleNamespace(steps=set(), rates=[])

    def counted(sess, graph, corpus, config, number):
        made.rates.append(config.learning_rate)
        with monkeypatch.context() as patch:
            if len(made.rates) in made.steps:
                patch.setattr(data, 'windows', lambda *args, **options: [
                    part * np.asarray(factor, part.dtype) for part, factor in zip(
                        windows(*args, **options), (1, 1e38))])
            return step(sess, graph, corpus, config, number)
    monkeypatch.setattr(train, 'step', counted)
    return made


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path, infinite):
    infinite.steps.add(5)
    with pytest.raises(UserError, match=r'not finite and that step was not taken; .* is saved at '
                                        'update 3: .* --on-nan rollback.* lower --learning-rate'):
        go(tmp_path)
    kept = state(tmp_path)
    assert kept['step'] == 3 and all(np.all(np.isfinite(value)) for value in kept.values())


def test_a_rollback_continues_from_the_checkpoint_with_half_the_rate(tmp_path, infinite):
    """And a resumed run keeps that rate."""
    infinite.steps.add(5)
    config = dataclasses.replace(CONFIG, on_nan='rollback')
    go(tmp_path, config)
    assert infinite.rates == [0.01] * 5 + [0.005] * 3 and state(tmp_path)['step'] == 6
    assert [line for line in history(tmp_path) if 'lrate_factor' in line] == [
        {'step': 3, 'lrate_factor': 0.5}]
    go(tmp_path, dataclasses.replace(config, steps=7))
    assert infinite.rates[8:] == [0.005]


def test_a_run_whose_checkpoints_are_gone_is_refused(trained, tmp_path):
    """Its snapshot, the best so far, would be replaced by one of new weights."""
    folder = tmp_path / 'copy'
    shutil.copytree(str(trained), str(folder))
    shutil.rmtree(str(folder / 'checkpoint'))
    (folder / 'checkpoint.json').unlink()
    before = files.digest(folder)
    with pytest.raises(UserError, match='has a history but no checkpoint; copy its checkpoint fol'):
        go(folder)
    (folder / 'options.json').write_bytes((trained / 'options.json').read_bytes())
    assert files.digest(folder) == before


@pytest.mark.slow
def test_rollbacks_come_to_an_end(tmp_path, infinite):
    infinite.steps.update([1, 2, 3, 4])
    with pytest.raises(UserError, match='saved at update 0: start a new run with a lower --learn'):
        go(tmp_path, dataclasses.replace(CONFIG, on_nan='rollback'))
    assert infinite.rates == [0.01, 0.005, 0.0025, 0.00125]


@pytest.mark.slow
def test_a_run_that_has_more_steps_than_are_wanted_now_is_finished(tmp_path):
    """And one that has fewer goes on."""
    go(tmp_path)
    for steps, reached in ((4, 6), (6, 6), (7, 7)):
        go(tmp_path, dataclasses.replace(CONFIG, steps=steps))
        assert state(tmp_path)['step'] == reached


def test_attributes_that_are_texts_are_left_out_with_a_line(tmp_path, capsys):
    """A column of long texts, with which no window would have room for anything else."""
    care = ' '.join(f'wash by hand at {degrees} degrees' for degrees in range(20, 40))
    products = [product._replace(tags=(care, *product.tags)) for product in PRODUCTS]
    config = dataclasses.replace(CONFIG, window=NETWORK.n_ctx, steps=2, sample_every=1)
    go(tmp_path, config, products)
    assert '12 of 12 products have attributes of more than 12 tokens' in capsys.readouterr().out
    dataset = train.prepare(products, config, size=300)
    assert not any(care in document.tags for document in dataset.training.documents)
    for rows in (dataset.validation, [data.windows(
            dataset.training, pack='documents', count=50, length=24,
            rng=np.random.RandomState([0]))]):
        assert all(np.count_nonzero(weights) > weights.size / 5 for _, weights in rows)


def test_learning_rate_rises_then_falls():
    config = Training(steps=100, learning_rate=1.0, warmup=10, final_rate=0.2)
    rates = [train.learning_rate(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert int(np.argmax(rates)) == 9 and np.all(np.diff(rates[9:]) < 0)
    assert rates[-1] == pytest.approx(0.2, abs=0.01)
    flat = Training(steps=100, learning_rate=1.0, warmup=0)
    assert {train.learning_rate(step, flat) for step in range(100)} == {1.0}


def test_a_start_gives_sizes_vocabulary_and_weights(trained, tmp_path):
    config = dataclasses.replace(CONFIG, steps=1, learning_rate=0.0)
    before = snapshots.read(trained)
    go(tmp_path, config, start=before)
    after = snapshots.read(tmp_path)
    assert before.network == after.network
    assert before.encoder.digest() == after.encoder.digest()
    assert all(np.array_equal(before.weights[name], after.weights[name])
               for name in before.weights)


def test_a_vocabulary_can_be_given_without_weights(trained, tmp_path):
    known = encoder.load(trained / 'snapshot')
    other = [product._replace(description=product.description.upper()) for product in PRODUCTS]
    config = dataclasses.replace(CONFIG, steps=1)
    go(tmp_path / 'run', config, other, vocabulary=known)
    network, weights, vocabulary, _ = snapshots.read(tmp_path / 'run')
    assert vocabulary.digest() == known.digest()
    assert len(weights['model/wte']) == network.n_vocab == known.size


def test_what_cannot_be_trained_is_refused(tmp_path):
    with pytest.raises(UserError, match='no descriptions to train on'):
        go(tmp_path / 'a', products=[])
    with pytest.raises(UserError, match='use --window 24'):
        go(tmp_path / 'b', dataclasses.replace(CONFIG, window=25))


def test_a_batch_in_parts_takes_the_same_way(trained, tmp_path):
    parts = state(go(tmp_path, dataclasses.replace(CONFIG, accumulate=2)))
    whole = state(trained)
    assert set(parts) == set(whole)
    for name in ('model/wte', 'model/h0/attn/c_attn/w'):
        np.testing.assert_allclose(parts[name], whole[name], atol=2e-3)


@pytest.mark.slow
def test_only_the_blocks_can_be_trained_and_weights_decay(trained, tmp_path):
    config = dataclasses.replace(CONFIG, steps=1)
    start = state(go(tmp_path / 'start', dataclasses.replace(config, learning_rate=1e-12)))
    blocks = state(go(tmp_path / 'blocks', dataclasses.replace(config, train_only='blocks')))
    assert np.abs(blocks['model/wte'] - start['model/wte']).max() < 1e-9
    assert np.abs(blocks['model/h0/mlp/c_fc/w'] - start['model/h0/mlp/c_fc/w']).max() > 1e-4
    free = state(go(tmp_path / 'free', config))
    decayed = state(go(tmp_path / 'decayed', dataclasses.replace(config, weight_decay=0.5)))
    rate = train.learning_rate(0, config)
    for name in ('model/wte', 'model/h0/mlp/c_fc/w'):
        np.testing.assert_allclose(decayed[name], free[name] * (1 - 0.5 * rate), atol=1e-7)
    assert np.array_equal(decayed['model/ln_f/g'], free['model/ln_f/g'])


def test_patience_stops_when_nothing_gets_better(tmp_path):
    config = dataclasses.replace(CONFIG, steps=40, learning_rate=0.0, validate_every=1, patience=3)
    assert history(go(tmp_path, config))[-1]['step'] == 4  # the first one is the best


@pytest.mark.parametrize('decay, half', [('linear', 0.55), ('cosine', 0.55)])
def test_the_learning_rate_falls_to_its_final_share(decay, half):
    config = Training(steps=100, learning_rate=1.0, warmup=4, final_rate=0.1, decay=decay)
    rates = [train.learning_rate(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.25) and rates[100] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(half)
    assert (np.diff(rates[4:]) < 0).all()
