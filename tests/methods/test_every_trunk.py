"""Every method on every family of image trunks of the table, tiny."""

import functools
from typing import Any

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import nn
from torch.testing import assert_close

from mmvidadapt.apis import load_adapter
from mmvidadapt.engine.adapters import make_adapter, split_names
from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.dialects import ARCHS, TRAITS, read_dialect
from mmvidadapt.trunks.table import TRUNKS
from mmvidadapt.utils.sha256 import fingerprint
from tests import runs
from tests.methods.cases import all_cases, names
from tests.methods.evl_processes import features
from tests.methods.test_every_method import agree, gradients

FAMILIES = {
    'CLIP': 'openai/ViT-B-16',
    'OpenCLIP': 'laion/CLIP-ViT-B-16-laion2B-s34B-b88K',
    'ImageNet': 'timm/jx_vit_base_p16_224',
    'DINOv2': 'facebook/dinov2-base',
    'DINOv2, registers': 'facebook/dinov2-with-registers-base',
    'DINOv2 g': 'facebook/dinov2-giant',
    'DINOv3': 'facebook/dinov3-vitb16-pretrain-lvd1689m',
    'DINOv3+': 'facebook/dinov3-vits16plus-pretrain-lvd1689m',
    'SigLIP 2': 'google/siglip2-base-patch16-224',
    'EVA-02-CLIP': 'timm/eva02_base_patch16_clip_224.merged2b',
    'PE-Core': 'facebook/PE-Core-B16-224',
    'PE-Core G': 'facebook/PE-Core-G14-448',
    'PE-Spatial': 'facebook/PE-Spatial-B16-512',
    'PE-Spatial G': 'facebook/PE-Spatial-G14-448',
}
# What sees a frame alone, and what sees all frames in their order.
ALONE = ('ImageViT', 'VPT', 'AdaptFormer', 'LoRA')
TOGETHER = (
    'AIM',
    'DualPath',
    'EVL',
    'STAdapter',
    'ZeroI2V',
    'Side4Video',
    'AttentiveProbe',
)
CASES = {case.name: case for case in reversed(all_cases())}
BLOCK = 'transformer.resblocks.{}.'


def every(methods=ALONE + TOGETHER, families=FAMILIES):
    """Run a test for pairs of a method and a family."""
    pairs = [(m, f) for m in methods for f in families]
    return pytest.mark.parametrize('method,family', pairs)


def traits(family):
    """Read the dialect of a family's row, all of it."""
    return {**TRAITS, **read_dialect(TRUNKS[FAMILIES[family]].dialect)}


def sizes(family):
    """Return arch and dialect of a family, tiny."""
    arch = TRUNKS[FAMILIES[family]].arch
    ratio = arch.get('mlp_ratio', 4.0) if isinstance(arch, dict) else 4.0
    return dict(
        arch=dict(ARCHS['tiny'], mlp_ratio=ratio),
        dialect=TRUNKS[FAMILIES[family]].dialect,
    )


def build(method, family, **given):
    """Build a method on a family, in double precision."""
    if method == 'AdaptFormer':
        given['adapter_dims'] = 24  # so that some of them are not below zero
    model = CASES[method].build(**sizes(family), **given)
    return model.double().eval()


@functools.cache
def clip(method):
    """Draw a batch."""
    torch.manual_seed(1)
    return CASES[method].batch().double()


@functools.cache
def trained(method, family, **given: Any):
    """Build a model, differentiate it once, and keep both."""
    model = build(method, family, **given)
    return model, gradients(model, clip(method), input_too=True)


def test_every_trait_of_the_table_is_in_some_family():
    covered = [traits(family).items() for family in FAMILIES]
    for row in TRUNKS.values():
        if row.family == 'vit':
            own = {**TRAITS, **read_dialect(row.dialect), 'eps': None}
            for trait in own.items() - {('eps', None)}:
                assert any(trait in one for one in covered), (row.name, trait)


def trained_names(method, family):
    """List what a method trains, from what it trains on CLIP."""
    has, own = traits(family), set(CASES[method].trained)
    if not has['cls_token']:
        own -= {'class_embedding', 'temporal_class_embedding'}
    if not has['final_norm']:
        own -= names('', 1, 'ln_post.*')
    if method != 'ImageViT':  # it is trained as a whole
        return own
    last = ('attn.out_proj.', 'mlp.c_proj.')
    if not has['pre_norm']:
        own -= names('', 1, 'ln_pre.*')
    if not has['positions']:
        own -= {'positional_embedding'}
    if has['patch_bias']:
        own |= {'conv1.bias'}
    if has['registers']:
        own |= {'registers'}
    if has['sub_norm']:
        own |= names(BLOCK, 2, 'attn.out_proj.norm.*', 'mlp.act.norm.*')
    if has['layer_scale']:
        own |= names(BLOCK, 2, *(f'{layer}gamma' for layer in last))
    if has['pool'] == 'map':
        parts = 'probe', 'layernorm.*', 'mlp.c_fc.*', 'mlp.c_proj.*'
        own |= names('attn_pool.', 1, *parts, 'attn.out_proj.*')
        own |= names('attn_pool.attn.in_proj_', 1, 'weight', 'bias')
    return own


@pytest.mark.parametrize('method', ['EVL', 'AIM', 'ImageViT'])
@pytest.mark.parametrize(
    'saved,wanted',
    [('PE-Core', 'CLIP'), ('CLIP', 'PE-Core'), ('PE-Spatial', 'CLIP')],
)
def test_no_checkpoint_turns_tokens_that_were_not(method, saved, wanted):
    """Names and shapes are the same where neither norm nor pool is read."""
    given = {} if method == 'EVL' else dict(out_type='avg_featmap')
    weights = build(method, saved, **given).state_dict()
    with pytest.raises((RuntimeError, ValueError), match='rotary_mark|built'):
        build(method, wanted, **given).load_state_dict(weights)


@every()
def test_gradients_reach_exactly_what_is_trained(method, family):
    model, grads = trained(method, family)
    learn = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learn == trained_names(method, family)
    moved = {name for name in learn & set(grads) if grads[name].any()}
    assert moved == learn == set(grads) - {'output', 'input'}


@every([name for name in CASES if CASES[name].image and name != 'AIMSwin'])
def test_a_new_one_is_the_image_model(method, family):
    model = build(method, family, random=False)
    image = MODELS.build(dict(CASES[method].image, **sizes(family)))
    own = model.state_dict()
    image.load_state_dict({key: own[key] for key in image.state_dict()})
    batch, other = clip(method), trained(method, family)[0]
    with torch.no_grad():
        assert_close(model(batch), image.double().eval()(batch))
        changed = other(batch)
    assert (changed - model(batch)).abs().max() > 1e-3


@every()
def test_plain_is_lean(method, family):
    plain = trained(method, family, lean=False)[1]
    agree(trained(method, family)[1], plain, 1e-10)


@every(['STAdapter'])
def test_patches_alone_meet_their_neighbours(method, family):
    model, grads = trained(method, family, places=('attn', 'mlp'))
    learn = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learn == {n for n in learn & set(grads) if grads[n].any()}
    last = model.transformer.resblocks[-1].mlp_adapter
    read = model.out_type == 'cls_token'  # which it would not reach
    assert isinstance(last, nn.Identity) == read
    x = model.embed(clip(method))  # (B*T, P+N, C)
    moved = model.transformer.resblocks[0].attn_adapter(x) != x
    first = model.num_prefix_tokens
    assert not moved[:, :first].any() and moved[:, first:].any(-1).all()


@pytest.mark.parametrize('method', [n for n in CASES if n.startswith('ViViT')])
@pytest.mark.parametrize('family', ['DINOv3', 'EVA-02-CLIP', 'PE-Core'])
def test_rotary_positions_have_no_time(method, family):
    with pytest.raises(ValueError, match=f'{method} .*time.*rotary.*AIM'):
        CASES[method].build(dialect=sizes(family)['dialect'])


@every()
@pytest.mark.parametrize('with_cp', [True, 'mlp'])
def test_checkpointing_changes_nothing(method, family, with_cp):
    other = trained(method, family, with_cp=with_cp)[1]
    agree(other, trained(method, family)[1], 1e-10)


@every()
def test_order_of_frames(method, family):
    model, video = trained(method, family)[0], clip(method)
    with torch.no_grad():
        there, back = model(video), model(video.flip(2))
    if method in ALONE:
        assert_close(back, there.flip(2))
    else:
        assert (back.mean(2) - there.mean(2)).abs().max() > 1e-4


@every(families=('DINOv3+', 'EVA-02-CLIP', 'PE-Core'))
def test_full_finetuning_reaches_everything(method, family):
    model, grads = trained(method, family, full_finetune=True)
    for name, _ in model.named_parameters():
        assert name in grads and grads[name].any(), name
    plain = trained(method, family, full_finetune=True, lean=False)[1]
    agree(grads, plain, 1e-10)


@every(['LoRA'])
@pytest.mark.parametrize('full_finetune', [False, True])
@torch.no_grad()
def test_merging_gives_a_plain_vit(method, family, full_finetune):
    everywhere = dict(targets=('q', 'k', 'v', 'o'))
    model = build(method, family, full_finetune=full_finetune, **everywhere)
    wanted, vit = model(clip(method)), model.merge()
    assert_close(vit(clip(method)), wanted, rtol=1e-10, atol=1e-10)
    assert 'A' not in {name[-1] for name in vit.state_dict()}


@every(
    ('AIM', 'VPT', 'EVL', 'DualPath'), ('DINOv3+', 'EVA-02-CLIP', 'PE-Core')
)
def test_autocast_keeps_sums_in_full_precision(method, family):
    model, batch = build(method, family).float(), clip(method).float()
    for param in model.parameters():
        param.data /= 4  # of a size that trained weights have
    wanted = gradients(model, batch)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        actual = gradients(model, batch)
    assert {v.dtype for v in actual.values() if v is not None} == {
        torch.float32
    }
    error = (actual['output'] - wanted['output']).abs().max()
    assert 0 < error < 0.03 * wanted['output'].abs().max()


def assert_taps(actual, wanted, tol):
    """Compare what the decoder reads, relative to the largest of it."""
    for own, others in zip(actual, wanted, strict=True):
        for x, y in zip(own, others, strict=True):
            assert x.shape == y.shape
            assert (x.float() - y).abs().max() < tol * y.abs().max()


@every(['EVL'])
@torch.no_grad()
def test_features_in_half_precision(method, family):
    model, video = build(method, family).float(), clip(method).float()
    wanted, rows = list(model.taps(video)), features(model, video)
    assert_taps(model.see(rows), wanted, 1e-3)
    config = dict(sizes(family), trunk_dtype='bf16')
    half = CASES[method].build(**config).eval()
    half.load_state_dict(model.state_dict())
    assert_taps(half.taps(video), wanted, 0.05)
    for name, param in half.trunk().items():
        norm = '.norm.' in name or 'ln_' in name
        assert (param.dtype == torch.float32) == norm, name


@pytest.mark.parametrize(
    'family,noted,change',
    [
        ('CLIP', '2 QuickGELU 1e-05 True', dict(act='gelu')),
        ('ImageNet', '2 GELU 1e-06 False', dict(act='gelu_tanh')),
        (
            'EVA-02-CLIP',
            '2 swiglu 1e-06 False eva02 16 (2, 3)',
            dict(eps=1e-5),
        ),
        ('DINOv3', '2 GELU 1e-05 False dinov3 None (2, 3)', dict(rotary='pe')),
        ('PE-Core', '2 GELU 1e-05 True pe None (2, 3)', dict(rotary_grid=5)),
    ],
)
def test_the_key_of_a_trunk_tells_equal_parameters_apart(
    family, noted, change
):
    dialect = read_dialect(TRUNKS[FAMILIES[family]].dialect)
    one, other = (
        CASES['EVL'].build(
            **dict(
                sizes(family), dialect=dict(dialect, patch_bias=True, **more)
            )
        )
        for more in ({}, change)
    )
    assert one.trunk_key() == fingerprint(one.trunk(), noted)
    with torch.no_grad():
        for mine, its in zip(other.parameters(), one.parameters()):
            mine.copy_(its)
    assert other.trunk_key() != one.trunk_key()


@pytest.fixture(scope='module')
def trunk_files(tmp_path_factory):
    """Write tiny weights of every family once."""
    folder, files = tmp_path_factory.mktemp('trunks'), {}
    for i, family in enumerate(FAMILIES):
        torch.manual_seed(i)
        vit = ImageViT(img_size=16, **sizes(family))
        for param in vit.parameters():
            nn.init.normal_(param, std=0.2)
        files[family] = str(folder / f'{i}.pth')
        torch.save(vit.state_dict(), files[family])
    return files


@every()
def test_an_adapter_file_brings_the_rest(
    method, family, trunk_files, tmp_path
):
    config = runs.recipe(runs.ROOT / 'list.txt', str(tmp_path))
    config.model.backbone = dict(
        CASES[method].config,
        **sizes(family),
        img_size=16,
        pretrained=trunk_files[family],
        full_finetune=False,
    )
    config.model.backbone.pop('output_dims', None)  # not in these weights
    config = Config(config.to_dict())
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    state, own = model.state_dict(), split_names(model)[0]
    for name in own:
        if state[name].is_floating_point():
            nn.init.normal_(state[name], std=0.2)
    adapter = make_adapter(split_names(model), state, config.to_dict())
    adapter.write(tmp_path / 'one.adapter.safetensors')
    again = load_adapter(str(tmp_path / 'one.adapter.safetensors'))
    for name, value in again.state_dict().items():
        assert torch.equal(value, state[name]), name
