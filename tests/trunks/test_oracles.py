"""Rows at full size, probes at small ones: timm and transformers compared."""

import json
import re

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import VJEPA2, AttentiveProbe, ImageViT
from mmvidadapt.trunks import vjepa
from mmvidadapt.trunks.table import TRUNKS
from mmvidadapt.utils.hub_file import HubFile
from mmvidadapt.weights import to_native
from mmvidadapt.weights.fold import fold_layer_scale_
from mmvidadapt.weights.load_hooks import renamed
from mmvidadapt.weights.resize import resize_pos_embed
from tests.golden import assert_gradients, assert_output
from tests.methods.cases.vjepa import recognizer

# Rows that timm has, and those of one size once, by its names.
ROWS, MODELS = {}, {}
for row in TRUNKS.values():
    repo = (row.mirror or row.hub or HubFile('')).repo
    if repo.startswith('timm/'):
        ROWS[row.name] = repo.split('/')[1]
        model = ROWS[row.name].split('.')[0]
        MODELS.setdefault(re.sub(r'_\d{3}$', '', model), (row, model))
FILES = {  # what transformers calls them, and their sizes
    'facebook/dinov2-small': 'Dinov2',
    'facebook/dinov2-giant': 'Dinov2',
    'facebook/dinov2-with-registers-base': 'Dinov2WithRegisters',
    'facebook/dinov3-vits16-pretrain-lvd1689m': 'DINOv3ViT',
    'facebook/dinov3-vits16plus-pretrain-lvd1689m': 'DINOv3ViT',
    'google/siglip2-so400m-patch14-384': 'SiglipVision',
    'google/vit-base-patch16-224-in21k': 'ViT',
    'facebook/metaclip-l14-fullcc2.5b': 'CLIPVision',
    'facebook/metaclip-2-worldwide-giant': 'MetaClip2Vision',
}


def test_timm_says_the_same_of_every_row():
    """Pixels, image sizes, activations that no file tells, licences."""
    models = pytest.importorskip('timm.models', reason='timm is not here')
    for name, model in ROWS.items():
        row, told = TRUNKS[name], models.get_pretrained_cfg(model)
        for ours, theirs in ((row.mean, told.mean), (row.std, told.std)):
            assert [x / 255 for x in ours] == pytest.approx(theirs, abs=1e-4)
        size = told.input_size[-1]
        assert row.published.img_size == size, name
        assert row.img_size == size or 'dino' in name, name
        quick = any('QuickGELU' in note for note in told.notes or ())
        assert (row.dialect == 'clip') == quick, name
        for word in ('apple', 'cc-by-nc-4.0', 'dinov3'):
            agree = told.license.startswith(word)
            assert row.licence.lower().startswith(word) == agree, name


def check(row, size, weights, heads, eps):
    """Compare with the trunk that is built of a row."""
    kind = VJEPA2 if row.family == 'vjepa' else ImageViT
    with torch.device('meta'):
        vit = kind(trunk=row.name, img_size=size, pretrained=None)
    block = vit.transformer.resblocks[0]
    assert (block.attn.num_heads, block.ln_1.eps) == (heads, eps)
    native = to_native(weights, row.family)
    fold_layer_scale_(native)
    assert {k: v.shape for k, v in native.items()} == {
        k: v.shape for k, v in vit.named_parameters()
    }


@pytest.mark.parametrize('row, model', MODELS.values(), ids=MODELS)
def test_timms_model_of_full_size_has_the_same_weights(row, model):
    timm = pytest.importorskip('timm', reason='timm is not installed')
    with torch.device('meta'):
        theirs = timm.create_model(model, pretrained=False)
    size = theirs.pretrained_cfg['input_size'][-1]
    block = theirs.blocks[0]
    heads, eps = block.attn.num_heads, block.norm1.eps
    check(row, size, theirs.state_dict(), heads, eps)


@pytest.mark.parametrize('name, kind', FILES.items(), ids=FILES)
def test_transformers_model_of_full_size_has_the_same_weights(name, kind):
    hub = pytest.importorskip(
        'transformers', reason='transformers is not installed'
    )
    row = TRUNKS[name]
    hidden = round(row.arch.get('mlp_ratio', 4) * row.width)
    size = row.published.img_size
    sizes = dict(
        hidden_size=row.width,
        num_hidden_layers=row.arch['num_layers'],
        num_attention_heads=row.arch['num_heads'],
        patch_size=row.arch['patch_size'],
        image_size=size,
        intermediate_size=hidden,
    )
    dialect = row.dialect if isinstance(row.dialect, dict) else {}
    if dialect.get('act') == 'swiglu':
        sizes |= dict(use_swiglu_ffn=True, use_gated_mlp=True)
    if 'registers' in dialect:
        sizes |= dict(num_register_tokens=dialect['registers'])
    with torch.device('meta'):
        config = getattr(hub, f'{kind}Config')(**sizes)
        theirs = getattr(hub, f'{kind}Model')(config)
    heads, eps = config.num_attention_heads, config.layer_norm_eps
    check(row, size, theirs.state_dict(), heads, eps)


@pytest.mark.parametrize('name', [n for n in TRUNKS if '/vjepa2-' in n])
def test_transformers_video_model_of_full_size_has_the_same_weights(name):
    hub = pytest.importorskip('transformers', reason='it is not installed')
    row = TRUNKS[name]
    arch = vjepa.ARCHS[row.arch]
    with torch.device('meta'):
        config = hub.VJEPA2Config(
            hidden_size=arch['embed_dims'],
            num_hidden_layers=arch['num_layers'],
            num_attention_heads=arch['num_heads'],
            mlp_ratio=arch.get('mlp_ratio', 4),
            crop_size=row.img_size,
        )
        theirs = hub.VJEPA2Model(config)
    heads, eps = config.num_attention_heads, config.layer_norm_eps
    check(row, row.img_size, theirs.state_dict(), heads, eps)


@pytest.mark.parametrize('grid', [(4, 6), (9, 5), (3, 3)])
def test_positions_are_resized_as_in_their_packages(grid):
    layers = pytest.importorskip('timm.layers', reason='timm is not here')
    hub = pytest.importorskip('transformers', reason='it is not installed')
    torch.manual_seed(0)
    pos = torch.randn(1 + 7 * 7, 8)
    theirs = layers.resample_abs_pos_embed(pos[None], grid)[0]
    assert_close(resize_pos_embed(pos, grid, 'timm'), theirs)
    config = hub.Dinov2Config(hidden_size=8, image_size=7, patch_size=1)
    embeddings = hub.models.dinov2.modeling_dinov2.Dinov2Embeddings(config)
    embeddings.position_embeddings.data = pos[None]
    x = torch.zeros(1, 1 + grid[0] * grid[1], 8)
    theirs = embeddings.interpolate_pos_encoding(x, *grid)[0]
    assert_close(resize_pos_embed(pos, grid), theirs.detach())
    naflex = hub.models.siglip2.modeling_siglip2.Siglip2VisionEmbeddings
    theirs = naflex.resize_positional_embeddings(
        pos[1:].view(7, 7, 8), torch.tensor([grid]), grid[0] * grid[1]
    )[0]
    assert_close(resize_pos_embed(pos[1:], grid, 'naflex', False), theirs)


def vjepa2_config(hub, **sizes):
    return hub.VJEPA2Config(
        crop_size=32,
        patch_size=8,
        frames_per_clip=4,
        hidden_size=32,
        num_attention_heads=2,
        num_hidden_layers=2,
        pred_hidden_size=24,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
        attn_implementation='sdpa',  # the other one is float32
        **sizes,
    )


def draw_(model, seed=0):
    """Draw weights that let every part count."""
    torch.manual_seed(seed)
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.2)
    return model.double().eval()


@pytest.mark.parametrize('depth', [0, 2, 3])
def test_a_recognizer_is_transformers_video_classifier(depth):
    hub = pytest.importorskip('transformers', reason='it is not installed')
    sizes = dict(num_pooler_layers=depth, num_labels=5)
    config = vjepa2_config(hub, **sizes)
    theirs = draw_(hub.VJEPA2ForVideoClassification(config)).float()
    theirs.vjepa2.requires_grad_(False)
    meta = json.dumps(dict(config=config.to_dict()), default=str)
    ours = recognizer(dict(meta=meta), pooler=dict(num_layers=depth))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    clip = torch.randn(2, 4, 3, 32, 32)
    wanted = theirs(clip).logits
    scores = ours(clip.transpose(1, 2)[:, None], stage='head')
    assert_output(scores, wanted)
    weight = torch.randn_like(wanted)
    (scores * weight).sum().backward()
    (wanted * weight).sum().backward()
    grads = {
        k: p.grad for k, p in theirs.named_parameters() if p.requires_grad
    }
    assert_gradients(ours, renamed(ours, grads))


def frames_of(clip):
    return clip.transpose(1, 2).flatten(0, 1)  # (B*T, 3, H, W)


def timms_tokens():
    """Build timm's ViT; what it says of patches, its weights, its dialect."""
    timm = pytest.importorskip('timm.models', reason='timm is not installed')
    sizes = dict(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2)
    model = draw_(timm.VisionTransformer(**sizes, num_classes=0))
    return model, lambda x: model.forward_features(x)[:, 1:], 'imagenet'


def transformers_tokens():
    """Build DINOv2 with registers of transformers, and the same of it."""
    hub = pytest.importorskip('transformers', reason='it is not installed')
    sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    sizes |= dict(image_size=32, patch_size=8, num_register_tokens=4)
    config = hub.Dinov2WithRegistersConfig(**sizes)
    model = draw_(hub.Dinov2WithRegistersModel(config))
    row = TRUNKS['facebook/dinov2-with-registers-base']
    return model, lambda x: model(x).last_hidden_state[:, 5:], row.dialect


@pytest.mark.parametrize('trunk', [timms_tokens, transformers_tokens])
def test_an_image_probe_is_transformers_pooler_of_their_tokens(trunk):
    hub = pytest.importorskip('transformers', reason='it is not installed')
    model, tokens_of, dialect = trunk()
    pooler = hub.models.vjepa2.modeling_vjepa2.VJEPA2AttentivePooler
    theirs = draw_(pooler(vjepa2_config(hub, num_pooler_layers=2)), seed=1)
    sizes = dict(embed_dims=32, num_layers=2, num_heads=2, patch_size=8)
    ours = AttentiveProbe(
        arch=sizes,
        img_size=32,
        dialect=dialect,
        num_frames=3,
        pooler=dict(num_layers=2),
        time_positions=None,
    ).double()
    native = to_native(model.state_dict(), 'vit')
    fold_layer_scale_(native)
    probe = {f'pooler.{k}': v for k, v in theirs.state_dict().items()}
    probe = to_native(probe, 'vjepa')
    native |= {k.replace('attn_pool', 'probe'): v for k, v in probe.items()}
    ours.load_state_dict(native, strict=True)
    clip = torch.randn(2, 3, 3, 32, 32).double()
    with torch.no_grad():
        tokens = tokens_of(frames_of(clip)).unflatten(0, (2, 3)).flatten(1, 2)
        wanted = theirs(tokens)
    assert_output(ours(clip)[..., 0, 0, 0], wanted)
