"""Released networks by our names: every variable finds its place, every odd one is refused."""

import json
import pathlib

import numpy as np
import pytest
import toy_released
import toy_stylegan

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import networks
from stylegan.config import Network
from stylegan.released import names, pickles

DATA = pathlib.Path(__file__).parents[2] / 'data' / 'stylegan'
ORIGINAL = DATA / 'original_small_clean.pkl'


def _convert(tmp_path, made):
    (tmp_path / 'a.pkl').write_bytes(toy_released.pickled(made))
    return names.convert(tmp_path / 'a.pkl')


def _refused(tmp_path, made, match):
    with pytest.raises(UserError, match=match) as error:
        _convert(tmp_path, made)
    assert 'a.pkl: ' in str(error.value) and '\n' not in str(error.value)


def _ours(network):
    """Names and shapes of the variables of our graphs at every resolution."""
    shapes = {}
    for r in range(2, network.log2 + 1):
        res = 2 ** r
        with tf.Graph().as_default():
            labels = tf.zeros([4, network.label_size])
            for scope, planes in [('G', toy_stylegan.no_noise), ('Gs', networks.stored_noise)]:
                with tf.variable_scope(scope):
                    w = networks.mapping(tf.zeros([4, network.latent_size]), network, labels)
                    tf.get_variable('dlatent_avg', [network.w_width])
                    ws = tf.tile(w[:, tf.newaxis], [1, networks.layers(res), 1])
                    networks.synthesis(ws, network, res=res, alpha=1.0, planes=planes)
            if r > 2:
                networks.discriminator(tf.zeros([4, res, res, 3]), network, res=res, alpha=1.0,
                                       labels=labels)
            shapes.update({v.op.name: tuple(v.shape.as_list()) for v in tf.global_variables()})
    return shapes


@pytest.mark.parametrize('more', [
    {}, dict(resolution=32, w_size=5, mapping_fmaps=9, mapping_layers=3, fused_scale='yes'),
    dict(label_size=3, normalize_latents=False, fused_scale='no', mbstd_group=2),
    dict(use_noise=False, mapping_layers=1)])
def test_all_variables_of_our_graphs_and_no_others(tmp_path, more):
    network = toy_released.config(**more)
    variables, found, options = _convert(tmp_path, toy_released.networks(network))
    assert found == network
    assert {name: value.shape for name, value in variables.items()} == _ours(network)
    assert {value.dtype for value in variables.values()} == {np.dtype(np.float32)}
    assert options['lod'] == 0 and options['D']['fmap_max'] == 5
    assert json.loads(json.dumps(options)) == options


def test_values_of_the_original_programs_own_pickle():
    variables, network, options = names.convert(ORIGINAL)
    assert network == Network(resolution=32, latent_size=32, w_size=40, mapping_fmaps=48,
                              fmap_base=256, fmap_max=32)
    assert options['Gs']['dlatent_size'] == 40 and options['lod'] == 0
    theirs = pickles.read(ORIGINAL)
    for ours, name in [
            ('synthesis/4x4/Conv/weight', 'G_synthesis/4x4/Conv/weight'),
            ('synthesis/4x4/ToRGB/bias', 'G_synthesis/ToRGB_lod3/bias'),
            ('synthesis/32x32/ToRGB/weight', 'G_synthesis/ToRGB_lod0/weight'),
            ('synthesis/16x16/Conv0_up/noise_strength', 'G_synthesis/16x16/Conv0_up/Noise/weight'),
            ('synthesis/8x8/Conv1/style/weight', 'G_synthesis/8x8/Conv1/StyleMod/weight'),
            ('mapping/Dense7/bias', 'G_mapping/Dense7/bias'), ('dlatent_avg', 'dlatent_avg')]:
        for scope in ('G', 'Gs'):
            assert np.array_equal(variables[scope + '/' + ours], theirs[scope].variables[name])
    for ours, name in [('D/32x32/FromRGB/weight', 'FromRGB_lod0/weight'),
                       ('D/4x4/FromRGB/bias', 'FromRGB_lod3/bias'),
                       ('D/8x8/Conv1_down/weight', '8x8/Conv1_down/weight'),
                       ('D/4x4/Dense1/weight', '4x4/Dense1/weight')]:
        assert np.array_equal(variables[ours], theirs['D'].variables[name])
    const = theirs['Gs'].variables['G_synthesis/4x4/Const/const']
    assert np.array_equal(variables['Gs/synthesis/4x4/Const/const'][0, 1, 2], const[0, :, 1, 2])
    planes = [name for name in variables if name.endswith('/noise')]
    assert len(planes) == 8 and all(name.startswith('Gs/') for name in planes)
    for plane, layer in [('4x4/Const', 0), ('4x4/Conv', 1), ('16x16/Conv0_up', 4)]:
        noise = theirs['Gs'].variables[f'G_synthesis/noise{layer}']
        assert np.array_equal(variables[f'Gs/synthesis/{plane}/noise'][0, ..., 0], noise[0, 0])


def test_drawing_with_the_original_programs_own_pickle():
    """The recorded w and image of its Gs: truncated by 0.7 in 8 layers, with stored noise."""
    variables, network, _ = names.convert(ORIGINAL)
    with np.load(str(DATA / 'original_small_outputs.npz')) as recorded:
        z, w, picture = [recorded[key] for key in ('z', 'Gs_w', 'Gs_img_default_psi')]
    with tf.Graph().as_default(), tflib.session(1) as sess:
        with tf.variable_scope('Gs'):
            ours = networks.mapping(tf.constant(z), network)
            ws = variables['Gs/dlatent_avg'] * 0.3 + tf.tile(ours[:, tf.newaxis], [1, 8, 1]) * 0.7
            rgb = networks.synthesis(ws, network, res=32, alpha=1.0, planes=networks.stored_noise)
        tflib.assign(sess, {v.op.name: variables[v.op.name] for v in tf.global_variables()})
        np.testing.assert_allclose(sess.run(ours), w[:, 0], atol=2e-5, rtol=0)
        np.testing.assert_allclose(sess.run(rgb), picture.transpose(0, 2, 3, 1), atol=2e-4, rtol=0)


# --- Counts, without weights: the tables of full width.

def _counted(table):
    return sum(int(np.prod(shape)) for ours, shape in table.values()
               if ours and ours != 'dlatent_avg' and not ours.endswith('/noise'))


@pytest.mark.parametrize('resolution, variables, generator, discriminator', [
    (256, 117, 26086229, 23052353), (512, 131, 26179768, 23080225),
    (1024, 145, 26219627, 23087249)])
def test_parameter_counts_of_the_released_networks(resolution, variables, generator, discriminator):
    network = Network(resolution=resolution)
    assert _counted(names.generator(network)) == generator
    assert _counted(names.discriminator(network)) == discriminator
    assert len(names.generator(network)) == variables


def test_counts_leave_out_what_is_not_trained():
    variables, network, _ = names.convert(ORIGINAL)
    assert names.counts(variables) == {
        'G': _counted(names.generator(network)),
        'Gs': _counted(names.generator(network)),
        'D': _counted(names.discriminator(network))} == {'G': 90324, 'Gs': 90324, 'D': 70385}


def test_description():
    text = names.describe(ORIGINAL, *names.convert(ORIGINAL))
    for part in ('original_small_clean.pkl', '32 x 32 px', '90,324', '70,385', '8 noise inputs',
                 '42a742c3ac8c33c2cb8ee00bf4c6188722b2e1de1cdc6fb443d9a1dc4f980cd5',
                 'dlatent_size 40', 'level of detail 0: grown to 32 px'):
        assert part in text


@pytest.mark.parametrize('lod, res, alpha', [(0, 16, 1), (0.25, 16, 0.75), (1, 8, 1), (2, 4, 1)])
def test_level_of_detail(tmp_path, lod, res, alpha):
    variables, network, options = _convert(tmp_path, toy_released.networks(lod=lod))
    assert options['lod'] == lod and not any('lod' in name for name in variables)
    assert names.reached(network, options['lod']) == (res, alpha)


@pytest.mark.parametrize('lod', [-1, 2.5, np.nan, np.inf])
def test_impossible_levels_of_detail(tmp_path, lod):
    _refused(tmp_path, toy_released.networks(lod=lod), 'level of detail|not finite')


# --- What is left out has the released program's defaults.

def test_defaults(tmp_path):
    network = toy_released.config(resolution=32, latent_size=512, mapping_layers=8, fmap_base=8192,
                                  fmap_max=2)
    made = toy_released.networks(network)
    for part in made[:1] + made[2:]:
        kwargs = {'num_channels': 3, 'resolution': 32, 'fmap_max': 2}
        part.static_kwargs = kwargs
        for component in part.components.values():
            component.static_kwargs = kwargs
    made[1].static_kwargs = {'num_channels': 3, 'fmap_max': 2}
    assert _convert(tmp_path, made)[1] == network


def test_version_4_of_the_same_layers(tmp_path):
    assert _convert(tmp_path, toy_released.networks(version=4))[1] == toy_released.config()


# --- What does not fit.

@pytest.mark.parametrize('option, value', [
    ('fmap_decay', 0.5), ('use_styles', False), ('const_input_layer', False),
    ('use_pixel_norm', True), ('use_instance_norm', False), ('use_wscale', False),
    ('num_channels', 1), ('nonlinearity', 'relu'), ('mapping_nonlinearity', 'relu'),
    ('blur_filter', [1, 3, 3, 1]), ('blur_filter', None), ('mbstd_num_features', 2),
    ('mapping_lrmul', 1.0), ('fused_scale', 'maybe'), ('fused_scale', [1]), ('use_noise', 'no'),
    ('normalize_latents', 1), ('mapping_layers', 1e9), ('resolution', '16'), ('fmap_max', None),
    ('fmap_base', 40.5), ('latent_size', float('nan')), ('label_size', True)], ids=str)
def test_options_that_ours_cannot_express(tmp_path, option, value):
    _refused(tmp_path, toy_released.networks(**{option: value}), f'option {option} is')


def test_options_with_the_usual_value_pass(tmp_path):
    made = toy_released.networks(fmap_decay=1.0, use_styles=True, blur_filter=(1, 2, 1),
                                 nonlinearity='lrelu', structure='auto', truncation_psi=0.7)
    assert _convert(tmp_path, made)[1] == toy_released.config()


def test_impossible_resolutions(tmp_path):
    _refused(tmp_path, toy_released.networks(resolution=24),
             'resolution 24 is no power of two$')


@pytest.mark.parametrize('option, value', [
    ('resolution', 32), ('fmap_base', 80), ('label_size', 1)])
def test_networks_of_different_options(tmp_path, option, value):
    made, other = toy_released.networks(), toy_released.networks(**{option: value})
    _refused(tmp_path, (made[0], other[1], made[2]), 'G and D differ in ' + option)
    _refused(tmp_path, (made[0], made[1], other[2]), 'G and Gs differ in ' + option)


@pytest.mark.parametrize('index, name', [(0, 'dlatent_avg'), (1, '4x4/Dense1/bias'), (2, 'lod')])
def test_variables_that_are_missing_unknown_or_of_another_shape(tmp_path, index, name):
    def made(change):
        networks = toy_released.networks()
        networks[index].variables = change(networks[index].variables)
        return networks
    which = f"network {('G', 'D', 'Gs')[index]}"
    _refused(tmp_path, made(lambda own: [pair for pair in own if pair[0] != name]),
             f'{which} lacks the variable {name}')
    _refused(tmp_path, made(lambda own: own + [('x\n', np.zeros(1, np.float32))]),
             rf"{which} has the unknown variable 'x\\n'")
    _refused(tmp_path, made(lambda own: [
        (key, np.zeros([2, 2], np.float32) if key == name else value) for key, value in own]),
             rf'{name} of {which} has the shape \(2, 2\)')


def test_networks_of_one_level_lack_the_others(tmp_path):
    """As those made with the structure 'fixed' do."""
    made = toy_released.networks()
    made[1].variables = [pair for pair in made[1].variables if 'RGB_lod2' not in pair[0]]
    _refused(tmp_path, made, 'lacks the variable FromRGB_lod2/weight')


@pytest.mark.parametrize('builder', [
    'G_main', 'G_synthesis_stylegan2', 'G_synthesis_stylegan_revised', 'D_stylegan', 'D_stylegan2'])
def test_stylegan2_is_refused_by_name(tmp_path, builder):
    made = toy_released.networks(version=4)
    {'G_m': made[0], 'D_s': made[1]}.get(
        builder[:3], made[0].components['synthesis']).build_func_name = builder
    _refused(tmp_path, made, rf"a StyleGAN2 \('{builder}'\).*modulated")


def test_stylegan2_is_known_by_its_variables(tmp_path):
    made = toy_released.networks(version=4)
    made[2].components['synthesis'].variables.append(('4x4/Conv/mod_weight', np.float32([1])))
    _refused(tmp_path, made, 'a StyleGAN2')


def test_other_builders_and_parts_are_refused(tmp_path):
    made = toy_released.networks()
    made[1].build_func_name = 'D_of_mine'
    _refused(tmp_path, made, "network D is built by 'D_of_mine' instead of D_basic")
    made = toy_released.networks()
    del made[0].components['mapping']
    _refused(tmp_path, made, 'network G has other components')
    made = toy_released.networks()
    made[1].components['mapping'] = made[0].components['mapping']
    _refused(tmp_path, made, 'network D has other components')
