"""The written rules of the project, enforced: who imports whom, and what no file may contain."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Which of our own packages the files of a place may import besides their own.
ARROWS = {
    'dnnlib': set(),
    'stylegan': {'dnnlib'},
    'gpt2': {'dnnlib'},
    'catalog': {'dnnlib'},
    'tagger': {'dnnlib', 'catalog'},
    'steering': {'dnnlib', 'stylegan'},
    'projection': {'dnnlib', 'stylegan'},
    'rare': {'dnnlib', 'stylegan', 'catalog', 'tagger'},
}
ARROWS['commands'] = set(ARROWS)
ARROWS['run.py'] = set(ARROWS)
BORDER = 'dnnlib/tflib.py'  # the only file that may name TensorFlow's package
BEHIND = {'dnnlib.tflib', 'dnnlib.runs'}  # what brings TensorFlow along

PRODUCT = [ROOT / 'run.py'] + sorted(
    path for place in ARROWS if place != 'run.py' for path in (ROOT / place).glob('**/*.py'))
TESTS = sorted((ROOT / 'tests').glob('**/*.py'))


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _tree(path):
    return ast.parse(path.read_text(encoding='utf-8'), _name(path))


def _imports(tree):
    """Dotted names of everything imported anywhere; `from a import b` gives a and a.b."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'relative import'
            found.add(node.module)
            found.update(f'{node.module}.{alias.name}' for alias in node.names)
    return found


each_product_file = pytest.mark.parametrize('path', PRODUCT, ids=_name)
each_file = pytest.mark.parametrize('path', PRODUCT + TESTS, ids=_name)


def test_there_is_something_to_check():
    assert {_name(path) for path in PRODUCT} >= {
        'run.py', BORDER, 'stylegan/graph.py', 'gpt2/model.py', 'catalog/prune/rules.py'}
    top = {path.parent.name for path in ROOT.glob('*/*.py')} - {'tests'}
    assert top == set(ARROWS) - {'run.py'}, 'a package that these rules do not know'


@each_product_file
def test_imports_follow_the_arrows(path):
    place = _name(path).split('/')[0]
    ours = {name.split('.')[0] for name in _imports(_tree(path))} & (set(ARROWS) | {'run', 'tests'})
    assert ours - {place} <= ARROWS[place]


@each_product_file
def test_tensorflow_is_imported_at_one_border(path):
    named = {name.split('.')[0] for name in _imports(_tree(path))} & {'tensorflow', 'keras'}
    assert named == ({'tensorflow'} if _name(path) == BORDER else set())


def _reachable(path):
    """Our own modules that importing a file brings along, as dotted names."""
    waiting, seen = [path], set()
    while waiting:
        for name in _imports(_tree(waiting.pop())):
            source = ROOT / (name.replace('.', '/') + '.py')
            if name not in seen and source.exists():
                seen.add(name)
                waiting.append(source)
    return seen


def test_the_catalogue_brings_no_tensorflow_along():
    for path in sorted((ROOT / 'catalog').glob('**/*.py')):
        assert not _reachable(path) & BEHIND, _name(path)


def test_run_py_loads_tensorflow_only_for_commands_that_need_it():
    top = {node for node in _tree(ROOT / 'run.py').body
           if isinstance(node, (ast.Import, ast.ImportFrom))}
    names = _imports(ast.Module(body=list(top), type_ignores=[]))
    sources = [ROOT / (name.replace('.', '/') + '.py') for name in names]
    brought = [_reachable(source) for source in sources if source.exists()]
    assert not names.union(*brought) & BEHIND


FORBIDDEN_CALLS = {'exec', 'eval', '__import__', 'compile'}


@each_product_file
def test_no_catch_all_and_no_hidden_code(path):
    for node in ast.walk(_tree(path)):
        where = f"{_name(path)}:{getattr(node, 'lineno', '?')}"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, where + ': bare except'
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {part.id for part in caught if isinstance(part, ast.Name)}
            assert not names & {'Exception', 'BaseException'}, where
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, where
    assert not {name.split('.')[0] for name in _imports(_tree(path))} & {
        'pickle', 'cPickle', 'dill', 'joblib', 'shelve', 'marshal', 'importlib'}


@each_product_file
def test_pickles_stay_closed(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.keyword) and node.arg == 'allow_pickle':
            assert getattr(node.value, 'value', None) is False, _name(path)


@each_file
def test_lines_are_short_and_clean(path):
    for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
        where = '%s:%d' % (_name(path), number)
        assert len(line) <= 100, where
        assert line == line.rstrip() and '\t' not in line, where
    assert path.read_text(encoding='utf-8').endswith('\n')


@each_product_file
def test_nothing_is_left_to_do(path):
    assert not re.search(r'\b(TODO|FIXME|XXX|HACK)\b', path.read_text(encoding='utf-8'))


@each_product_file
def test_files_say_what_they_own(path):
    tree = _tree(path)
    assert ast.get_docstring(tree)
    if path.name == '__init__.py':
        assert len(tree.body) == 1, 'only a docstring'


def _public(tree):
    """(qualified name, node) of each public function, class and method."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_'):
            yield node.name, node
            for inner in getattr(node, 'body', []) if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith('_'):
                    yield f'{node.name}.{inner.name}', inner


@each_product_file
def test_what_is_public_is_explained_or_plain(path):
    for name, node in _public(_tree(path)):
        plain = isinstance(node, ast.FunctionDef) and len(node.body) == 1
        assert ast.get_docstring(node) or plain, f'{_name(path)}: {name}'


@each_product_file
def test_functions_take_no_mutable_defaults(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef):
            defaults = node.args.defaults + [d for d in node.args.kw_defaults if d]
            kinds = {type(default) for default in defaults}
            assert not kinds & {ast.List, ast.Dict, ast.Set}, node.name


@each_product_file
def test_randomness_has_a_seed_of_its_own(path):
    """numpy's global generator and Python's are never used."""
    assert 'random' not in _imports(_tree(path))
    for node in ast.walk(_tree(path)):
        if (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
                and node.value.attr == 'random' and getattr(node.value.value, 'id', '') == 'np'):
            assert node.attr == 'RandomState', '%s:%d' % (_name(path), node.lineno)
