import io
import json

import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, model, snapshots, write
from gpt2.config import Network, Sampling
from gpt2.sampler import Sample
from gpt2.snapshots import Snapshot

VOCABULARY = encoder.train(['a red dress', 'a blue dress', 'a red skirt'], 270)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=24, n_embd=16, n_head=2, n_layer=2)
FREE = Sampling(temperature=1.0, top_k=0)


@pytest.fixture(scope='module')
def values():
    """Weights large enough that texts differ and some of them end."""
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        values = model.initial(tf.trainable_variables(), 3)
    return {name: value * (1 if name.endswith('/g') else 12) for name, value in values.items()}


@pytest.fixture(scope='module')
def folder(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp('snapshot')
    snapshots.write(folder, Snapshot(SMALL, values, VOCABULARY, {}))
    return folder


@pytest.fixture(scope='module')
def writer(folder):
    return write.Writer(folder, threads=1)


def test_end_of_text_ends(values, tmp_path):
    """A model whose best token is always end-of-text writes nothing."""
    spoilt = dict(values, **{'model/ln_f/g': values['model/ln_f/g'] * 0,
                             'model/ln_f/b': values['model/wte'][VOCABULARY.end] * 100})
    snapshots.write(tmp_path, Snapshot(SMALL, spoilt, VOCABULARY, {}))
    for sample in write.Writer(tmp_path).samples(['', 'a red'], seeds=[1, 2]):
        assert (sample.text, sample.finish, sample.tokens) == ('', 'end', 1)


def test_texts_are_those_of_the_samples(writer):
    samples = writer.samples(['a', 'red'], seeds=[1, 2], sampling=FREE)
    assert writer.texts(['a', 'red'], seeds=[1, 2], sampling=FREE) == [s.text for s in samples]
    assert writer.texts(['a', 'red'], seeds=[1, 2], temperature=1.0, top_k=0) == [
        s.text for s in samples]
    assert [(s.prompt, s.seed) for s in samples] == [('a', 1), ('red', 2)]


def test_the_prompt_is_dropped_or_kept_once(writer):
    sample, = writer.samples(['a red'], seeds=[5])
    assert writer.joined(sample) == 'a red' + sample.text


def test_prompts_of_a_model_with_attributes(folder, values, tmp_path):
    """Words get the arrow they had in training, and the spaces around it."""
    snapshots.write(tmp_path, Snapshot(SMALL, values, VOCABULARY, {'tagged': True}))
    tagged, plain = write.Writer(tmp_path, threads=1), write.Writer(folder, threads=1)
    asked = [' red dress -> ', ' red -> A', ' -> ']
    wanted = plain.texts(asked, seeds=[4, 4, 4])
    assert [tagged.prompt(words) for words in ('red dress', ' red -> A', '')] == asked
    for form in ('red dress', ' red dress -> ', 'red dress -> ', 'red dress ->', 'red dress->'):
        assert tagged.prompt(form) == ' red dress -> '
    for form in (' red -> A', 'red -> A', 'red ->A', 'red->  A'):
        assert tagged.prompt(form) == ' red -> A'
    assert tagged.prompt('->') == tagged.prompt(' -> ') == ' -> '
    assert plain.prompt('red dress -> ') == 'red dress -> '
    assert tagged.texts(['red dress ', ' red -> A', ''], seeds=[4, 4, 4]) == wanted
    samples = tagged.samples(['red dress', ' red -> A', ''], seeds=[4, 4, 4])
    assert [tagged.joined(sample) for sample in samples] == [
        'red dress -> ' + wanted[0], 'red -> A' + wanted[1], wanted[2]]
    assert samples[0].prompt == 'red dress'


def test_a_begun_description_is_encoded_as_in_training(values, tmp_path):
    """By itself: with the space after the arrow it would be tokens that no training has seen."""
    snapshots.write(tmp_path, Snapshot(SMALL, values, VOCABULARY, {'tagged': True}))
    tagged = write.Writer(tmp_path, threads=1)
    together = VOCABULARY.encode(' red -> red')
    apart = VOCABULARY.encode(' red -> ') + VOCABULARY.encode('red')
    assert together != apart
    wanted, other = tagged._sampler.samples(
        tagged._session, [apart, together], seeds=[4, 4], sampling=FREE)
    assert wanted.text != other.text
    assert tagged.texts(['red -> red'], seeds=[4], sampling=FREE) == [wanted.text]


def test_impossible_wishes_are_refused(writer):
    with pytest.raises(UserError, match='--top-p'):
        writer.texts(['a'], seeds=[0], top_p=1.5)
    with pytest.raises(UserError, match='--trim yes'):
        writer.texts(['dress ' * 30], seeds=[0])
    assert len(writer.texts(['dress ' * 30], seeds=[0], trim=True)) == 1


def test_int8_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(tflib, 'cpu_has_int8', lambda: False)
    with pytest.raises(UserError, match='leave --int8 out'):
        write.Writer('nowhere', use_int8=True)


def test_control_characters_of_a_text_do_not_reach_the_terminal():
    assert write.printable('a\x1b]0;title\x07\x9b31m\r') == r'a\x1b]0;title\x07\x9b31m\x0d'
    assert write.printable('a\tb\nc d é 👗') == 'a\tb\nc d é 👗'
    assert write.report(['\x1b[2J']).endswith('\n\\x1b[2J\n')


def test_report_has_the_form_of_the_post():
    line = '=' * 40
    assert write.report(['one', 'two\nlines']) == (
        line + ' SAMPLE 1 ' + line + '\none\n' + line + ' SAMPLE 2 ' + line + '\ntwo\nlines\n')


def test_json_lines_hold_one_sample_each():
    samples = [Sample('robe', 'été\n- ligne', 1, 'end', 4, -2.0),
               Sample('', 'b', 2, 'length', 1, -0.5)]
    lines = write.json_lines(samples).split('\n')
    assert [json.loads(line) for line in lines[:-1]] == [some.record() for some in samples]
    assert lines[-1] == '' and 'été' in lines[0]


class Echo:
    """Writes its prompt and seed."""

    def samples(self, prompts, *, seeds, sampling):
        if 'bad' in prompts:
            raise UserError('no such thing')
        return [Sample(prompt, f' {seed}', seed, 'end', 1, 0.0)
                for prompt, seed in zip(prompts, seeds)]

    def joined(self, sample):
        return sample.prompt + sample.text


def test_every_line_is_answered_until_an_empty_one(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\nbad\n blue \n\nnever\n'))
    write.converse(Echo(), Sampling(seed=5), 2)
    out, err = capsys.readouterr()
    assert out == write.report(['red 5', 'red 6']) + write.report(['blue 9', 'blue 10'])
    assert err == 'error: no such thing\n'


def test_it_ends_with_the_input_and_seeds_go_on_from_0(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\n'))
    write.converse(Echo(), Sampling(seed=2 ** 32 - 1), 2)
    assert capsys.readouterr().out == write.report([f'red {2 ** 32 - 1}', 'red 0'])
