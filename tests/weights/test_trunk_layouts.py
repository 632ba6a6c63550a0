"""Layouts of trunks of today, and their refusal in another's place."""

import json
import re

import pytest
import torch

from mmvidadapt.models import EVL, ImageViT
from mmvidadapt.weights import fit, load_weights_file, to_native
from mmvidadapt.weights.layouts.recognize import recognize, unwrap
from mmvidadapt.weights.trunk_kind import KINDS
from tests.golden import SHARED, assert_output, goldens, load_golden

from . import foreign_trunks as f
from .samples import same

REAL = SHARED / 'data/weights/dinov2_vits14_as_clip_visual_fp16.pt'
GELU = dict(f.PE, rotary=None, pool='token')
IMAGENET = dict(f.V2, layer_scale=False)
# Dialects of the goldens by the end of their names, the longest first.
GOLDENS = dict(
    dinov2_reg4=f.REGISTERS,
    dinov2_swiglu=f.GIANT,
    dinov2=f.V2,
    dinov3_plus=f.V3_PLUS,
    dinov3_gated=f.V3_PLUS,
    dinov3_qkvb=f.V3,
    dinov3=f.V3,
    siglip_so400m=f.SIGLIP,
    timm_siglip=dict(f.SIGLIP, act='gelu'),
    siglip=f.SIGLIP,
    eva02_clip=f.EVA,
    pe_core=dict(f.PE, pool_heads=8, rotary_grid=14),
    pe_spatial=dict(f.SPATIAL, rotary_grid=32),
    clip_gelu=GELU,
    clip=dict(GELU, act='quick_gelu'),
    clip_quickgelu=dict(GELU, act='quick_gelu'),
    augreg=IMAGENET,
    vit=dict(IMAGENET, eps=1e-12),
)
each_layout = pytest.mark.parametrize(
    'layout, dialect, source',
    [pytest.param(*row, id=row[2].__name__) for row in f.LAYOUTS],
)


@each_layout
def test_every_name_and_number_finds_its_place(layout, dialect, source):
    theirs, ours = source()
    assert recognize(unwrap(theirs)).name == layout
    same(to_native(theirs), ours)


def of_golden(path, folder):
    """Read a golden; give it and the arguments of the trunk that it is of."""
    golden = load_golden(path)
    meta, weights = json.loads(golden['meta']), golden['state_dict']
    sizes = {**meta, **meta.get('config', {})}
    native = to_native(weights)
    width, _, patch, _ = native['conv1.weight'].shape
    hidden = native['transformer.resblocks.0.mlp.c_proj.weight'].shape[1]
    kind = next(k for k in GOLDENS if path.stem.endswith(k))
    arch = dict(
        embed_dims=width,
        num_layers=2,
        num_heads=sizes.get('num_heads') or sizes['num_attention_heads'],
        patch_size=patch,
        mlp_ratio=hidden / width,
    )
    torch.save(weights, folder / 'weights.pth')
    return golden, dict(
        arch=arch,
        dialect=GOLDENS[kind],
        img_size=golden['input'].shape[-1],
        pretrained=str(folder / 'weights.pth'),
    )


def tokens_of(golden, **given):
    """Build a trunk of all tokens; give it and what it makes of the input."""
    model = ImageViT(**given, out_type='avg_featmap').eval()
    model.init_weights()
    clip = golden['input'][:, :, None]  # (B, 3, 1, H, W)
    return model, model.run_blocks(model.ln_pre(model.embed(clip)))


@pytest.mark.parametrize(
    'path', [p for p in goldens('trunk_*.pt') if 'vjepa' not in str(p)]
)
def test_goldens_give_their_tokens_and_gradients(path, tmp_path):
    golden, given = of_golden(path, tmp_path)
    weights, clip = golden['state_dict'], golden['input'][:, :, None]
    with torch.no_grad():
        model, tokens = tokens_of(golden, **given)
        if 'hf_clip' not in path.stem:
            tokens = model.ln_post(tokens)
        assert_output(tokens, golden['tokens'])
        model = ImageViT(**given).eval()
        model.init_weights()
        read = model(clip)[..., 0, 0, 0]
    if 'hf_clip' in path.stem:
        read = read @ weights['visual_projection.weight'].T
    if 'hf_vit' not in path.stem:  # behind a layer of its own
        assert_output(read, golden['pooled'])
    if 'grads' not in golden:
        return
    # What is fused of weights is fused of their gradients in the same way.
    model, tokens = tokens_of(golden, **given, full_finetune=True)
    (model.ln_post(tokens) * golden['w']).sum().backward()
    none = {k: torch.full_like(v, torch.nan) for k, v in weights.items()}
    grads = to_native({**none, **golden['grads']})
    compared = [k for k, v in grads.items() if v.isfinite().all() and v.any()]
    assert len(compared) >= 12
    for name in compared:
        wanted = grads[name]
        found = model.get_parameter(name).grad
        if name == 'positional_embedding' and 'reg4' in path.stem:
            wanted, found = wanted[1:], found[1:]  # timm: none of the class
        scale = max(wanted.abs().max().item(), 1e-2)
        assert (found - wanted).abs().max() <= 1e-4 * scale, name


@pytest.fixture
def load(monkeypatch):
    """Load weights that are in no file."""

    def load(weights, dialect, arch=f.ARCH, **options):
        monkeypatch.setattr(fit, 'resolve', lambda source: source)
        monkeypatch.setattr(fit, 'load_weights_file', lambda *a, **k: weights)
        options = dict(dict(img_size=12), **options)
        model = ImageViT(
            arch=arch, dialect=dialect, pretrained='a.pth', **options
        )
        model.init_weights()
        return model

    return load


@each_layout
def test_a_trunk_loads_as_itself_alone(layout, dialect, source, load):
    weights = source()[0]
    load(weights, dialect)
    others = {str(other): other for _, other, _ in f.LAYOUTS}
    del others[str(dialect)]
    for other in others.values():
        with pytest.raises(ValueError, match='a.pth(.|\n)*ImageViT is built'):
            load(weights, other)


@pytest.mark.parametrize('path', goldens('trunk_timm_pe_spatial.pt'))
def test_a_decoder_takes_no_rotary_trunk_for_clip(path, tmp_path):
    """Which reads no last norm, so that no name is missed."""
    given = of_golden(path, tmp_path)[1]
    given.update(num_frames=2, decoder_num_layers=1)
    EVL(**given).init_weights()
    clip = dict(given, dialect='clip')
    with pytest.raises(ValueError, match='Perception Encoder.*EVL is built'):
        EVL(**clip).init_weights()


NAMED = {kind: name for kind, (name, _) in KINDS.items()}


@pytest.mark.parametrize(
    'source, dialect, arch, reasons',
    [
        (f.pe, GELU, {}, ('pe', 'clip')),
        (f.pe_spatial, GELU, {}, ('pe', 'clip')),
        (f.open_clip, dict(f.PE, pool='token'), {}, ('clip', 'pe')),
        (f.dinov3, f.REGISTERS, {}, ('dinov3', 'dinov2')),
        (f.dinov2, f.V3, {}, ('dinov2', 'dinov3')),
        (f.eva02, GELU, {}, ('eva02', 'clip')),
        (f.timm_siglip, IMAGENET, {}, ('siglip', 'vit')),
        (f.dinov2_giant, f.V2, {}, ('a gated MLP', 'a plain MLP')),
        (f.dinov2_chunks, f.GIANT, {}, ('a plain MLP', 'a gated MLP')),
        (f.dinov2_chunks, f.REGISTERS, {}, ('16 channels', '4 registers')),
        (f.hf_dinov2, dict(f.V2, registers=2), {}, ('4 reg', '2 registers')),
        (f.dinov2, f.REGISTERS, dict(patch_size=3), ('of 4', 'of 3')),
        (f.dinov2, f.REGISTERS, dict(embed_dims=8), ('16 chan', '8 channels')),
        (f.dinov2, f.REGISTERS, dict(num_layers=3), ('2 blocks', '3 blocks')),
    ],
)
def test_both_trunks_are_named(source, dialect, arch, reasons, load):
    found, wanted = (NAMED.get(reason, reason) for reason in reasons)
    with pytest.raises(ValueError) as error:
        load(source()[0], dialect, dict(f.ARCH, **arch))
    given, made_for = str(error.value).split('ImageViT is built for')
    assert found in given.split('The weights are those of ')[1], given
    assert wanted in made_for, made_for


@pytest.mark.parametrize(
    'source, lost, reason',
    [
        (f.dinov3_plus, 'blocks.0.mlp.w1.weight', 'gate'),
        (f.timm_dinov3_qkvb, 'blocks.0.attn.v_bias', 'v'),
        (f.timm_dinov3_qkvb, 'blocks.0.gamma_1', 'no LayerScale for'),
        (f.timm_siglip, 'attn_pool.kv.bias', 'pool.attn.in_proj_bias'),
        (f.hf_siglip, 'vision_model.head.attention.in_proj_bias', 'pool.attn'),
        (f.timm_eva02, 'blocks.1.mlp.fc2.bias', '1.mlp.c_proj.bias'),
    ],
)
def test_lost_parts_are_named(source, lost, reason, load):
    theirs = source()[0]
    del theirs[lost]
    dialect = next(row[1] for row in f.LAYOUTS if row[2] is source)
    with pytest.raises(ValueError, match=reason):
        load(theirs, dialect)


@pytest.mark.parametrize('source', [f.hf_dinov3, f.timm_dinov3_qkvb])
def test_absent_biases_are_zero(source):
    theirs, ours = source()
    bare = [n for n in theirs if re.search(r'(q|v)(_proj\.|_)bias', n)]
    assert len(bare) == 4
    native = to_native({k: v for k, v in theirs.items() if k not in bare})
    same(native, f.without_bias(ours)[1])


@pytest.mark.parametrize('source', [f.dinov2, f.dinov3, f.pe_spatial_g])
@torch.no_grad()
def test_a_folded_scale_is_a_kept_one(source, load):
    dialect = next(row[1] for row in f.LAYOUTS if row[2] is source)
    folded, kept = (
        load(source()[0], dialect, full_finetune=trained).eval()
        for trained in (False, True)
    )
    assert 'attn.out_proj.gamma' in str(list(kept.state_dict()))
    assert 'gamma' not in str(list(folded.state_dict()))
    clip = torch.randn(1, 3, 2, 12, 12)
    assert_output(folded(clip), kept(clip))


@pytest.mark.skipif(not REAL.is_file(), reason=f'{REAL} is not here')
@torch.no_grad()
def test_real_weights_in_their_own_layout(tmp_path):
    clip_named = load_weights_file(str(REAL))
    ours = {k: v.float() for k, v in to_native(clip_named).items()}
    torch.manual_seed(0)
    for name in [n[:-7] for n in ours if n.endswith(('proj.weight'))]:
        gamma = ours[f'{name}.gamma'] = torch.rand(384) + 0.5
        ours[f'{name}.weight'] /= gamma[:, None]
        ours[f'{name}.bias'] /= gamma
    ours['conv1.bias'] = torch.randn(384)
    ours['positional_embedding'][1:] -= ours['conv1.bias']
    theirs = f.batched(f.replace(ours, f.SCALES, f.TIMM, f.NORM))
    assert recognize(theirs).name == 'dinov2'
    torch.save(theirs, tmp_path / 'own.pth')
    clip, read = torch.randn(1, 3, 1, 56, 56), []
    for path in (REAL, tmp_path / 'own.pth'):
        model = ImageViT(
            trunk='facebook/dinov2-small',
            pretrained=str(path),
            img_size=56,
            out_type='avg_featmap',
        ).eval()
        model.init_weights()
        read.append(model.ln_post(model.run_blocks(model.embed(clip))))
    assert_output(*read)
