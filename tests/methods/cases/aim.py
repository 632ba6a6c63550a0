"""AIM on ViTs and on Swin."""

import torch

from mmvidadapt.models import AIM, AIMSwin
from mmvidadapt.weights import rename_official_
from tests.golden import load_golden
from tests.methods.cases import REGISTERS, Case, Official, names

TOY = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4), window_size=4)
ADAPTERS = ('t_adapter', 's_adapter', 'mlp_adapter')


def renamed_gradients(golden, prefix=''):
    """Names are recognized as a whole: fill in what has no gradient."""
    dtype = golden['input'].dtype
    whole = {
        name: golden['grads'].get(
            name, torch.full_like(value, torch.nan, dtype=dtype)
        )
        for name, value in golden['state_dict'].items()
    }
    rename_official_(whole, prefix)
    return {k: grad for k, grad in whole.items() if not grad.isnan().any()}


def as_official(model, golden):
    """Load a golden's weights into a backbone and run it."""
    model = model.to(golden['input'].dtype).eval()
    model.load_state_dict(golden['state_dict'], strict=True)
    return Official(
        model,
        model(golden['input']),
        golden['output'],
        golden['w'],
        renamed_gradients(golden),
    )


def aim_of(golden, **overrides):
    """Build the AIM of a golden."""
    meta, official = golden['meta'], dict(golden['meta']['kwargs'])
    clip = 'input_resolution' in official
    arch = dict(
        embed_dims=official['width' if clip else 'embed_dim'],
        num_layers=official['layers' if clip else 'depth'],
        num_heads=official['heads' if clip else 'num_heads'],
        patch_size=official['patch_size'],
    )
    given = dict(
        arch=arch,
        dialect='clip' if clip else 'imagenet',
        img_size=official['input_resolution' if clip else 'img_size'],
        num_frames=official['num_frames'],
        num_t_adapters=official['num_tadapter'],
        adapter_ratio=meta.get('adapter_ratio', 0.25),
        adapter_scale=official['adapter_scale'],
        drop_path_rate=official['drop_path_rate'],
        drop_path_mode='official',
    )
    return AIM(**{**given, **overrides}).to(golden['input'].dtype).eval()


def sizes_of(backbone):
    """Translate the sizes of the official backbone's config."""
    return dict(
        arch=dict(
            embed_dims=backbone['width'],
            num_layers=backbone['layers'],
            num_heads=backbone['heads'],
            patch_size=backbone['patch_size'],
        ),
        img_size=backbone['input_resolution'],
        num_frames=backbone['num_frames'],
    )


def swin_of(golden, **overrides):
    """Build the AIMSwin of a golden."""
    official = golden['meta']['kwargs']
    arch = dict(
        embed_dims=official['embed_dim'],
        depths=official['depths'],
        num_heads=official['num_heads'],
        window_size=official['window_size'],
    )
    return AIMSwin(
        arch=arch,
        img_size=golden['meta']['img_size'],
        num_frames=official['num_frames'],
        drop_path_rate=official['drop_path_rate'],
        t_relative=official.get('t_relative', True),
        **overrides,
    )


def official_aim(path, **overrides):
    """Read a golden of AIM."""
    golden = load_golden(path)
    return as_official(aim_of(golden, **overrides), golden)


def official_swin(path, **overrides):
    """Read a golden of AIMSwin."""
    golden = load_golden(path)
    return as_official(swin_of(golden, **overrides), golden)


VIT = dict(arch='tiny', img_size=(16, 24))
CASES = [
    Case(
        dict(type='AIM', num_frames=4, **VIT),
        (3, 4, 16, 24),
        names('', 1, 'temporal_embedding', 'ln_post.*')
        | names(
            'transformer.resblocks.{}.',
            2,
            *(f'{a}.{fc}.*' for a in ADAPTERS for fc in ('down', 'up')),
        ),
        keys='5c2b8ef6a5d3',
        drawn=0.067686974,
        image=dict(type='ImageViT', **VIT),
        variants={
            'twice in time': dict(num_t_adapters=2),
            'imagenet': dict(dialect='imagenet', adapter_ratio=0.5),
            'registers': dict(dialect=REGISTERS),
            'wide': dict(adapter_ratio=8),  # too wide to be folded
            'no temporal': dict(adapt=('spatial', 'joint')),
            'no spatial': dict(adapt=('temporal', 'joint')),
            'no joint': dict(adapt=('spatial', 'temporal')),
            'none': dict(adapt=(), full_finetune=True),
        },
        wrong=[
            (dict(num_frames=4, frames=4), 'frames'),
            (dict(arch='giant'), "Unknown arch 'giant'.*base-p16"),
            (dict(arch=dict(embed_dims=8)), 'missing.*num_heads'),
            (dict(dialect='latin'), "Unknown dialect 'latin'"),
            (dict(adapt=('spacial',)), 'spacial.*spatial'),
            (dict(num_t_adapters=3), 'num_t_adapters.*3'),
            (dict(drop_path_mode='batch'), 'drop_path_mode.*batch'),
            (dict(img_size=0), 'img_size=.*0.*patch_size=8'),
            (dict(num_frames=0), 'num_frames=0'),
            (dict(with_cp=1), 'with_cp=1'),
            (dict(adapt='spatial'), "adapt='spatial' is a string"),
            (dict(trainable='ln_post.*'), "trainable='ln_post.*' is a string"),
            (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
            (dict(with_cp='all'), "with_cp='all'"),
            (dict(with_cp='mlp', lean=False), "with_cp='mlp' .* lean"),
            (dict(trainable=('t_adaptor',)), 'No parameter of AIM.*t_adaptor'),
            (dict(adapter_ratio=0.001), 'ratio=0.001'),
            (dict(drop_path_rate=1.5), 'drop path rate'),
        ],
        wrong_clips=[
            ((3, 8, 16, 24), 'num_frames=4.* 8 frames'),
            ((3, 4, 32, 32), 'img_size.*16, 24.*32, 32'),
        ],
        goldens=('aim_vit_clip_*.pt', 'aim_vit_imagenet_*.pt'),
        official=official_aim,
    ),
    Case(
        dict(type='AIMSwin', arch=TOY, img_size=(64, 32), num_frames=4),
        (3, 4, 64, 32),
        {
            f'layers.{i}.blocks.{j}.{a}_adapter.{fc}.{p}'
            for i in (0, 1)
            for j in (0, 1)
            for a in ('s', 'mlp') + ('t',) * (j == 0)
            for fc in ('down', 'up')
            for p in ('weight', 'bias')
        },
        keys='7464b6c7d8f5',
        drawn=0.076932137,
        image=dict(
            type='AIMSwin',
            arch=TOY,
            img_size=(64, 32),
            num_frames=4,
            adapt=(),
        ),
        variants={
            'absolute positions': dict(t_relative=False),
            'no temporal': dict(adapt=('spatial', 'joint')),
            'no spatial': dict(adapt=('temporal', 'joint')),
            'no joint': dict(adapt=('spatial', 'temporal')),
            'none': dict(adapt=(), full_finetune=True),
        },
        wrong=[
            (dict(num_frames=5), 'num_frames=5 is not a multiple'),
            (dict(img_size=36), r'img_size=\(36, 36\)'),
            (dict(img_size=40), '10 x 10 tokens.*windows of 4'),
            (dict(arch='giant'), "Unknown arch 'giant'"),
            (dict(adapt=('time',)), 'time.*temporal'),
            (dict(drop_path_mode='batch'), 'drop_path_mode.*batch'),
            (dict(window=7), 'window'),
        ],
        wrong_clips=[((3, 8, 64, 32), r'num_frames=4.*\(2, 3, 8, 64, 32\)')],
        goldens=('aim_swin_*.pt',),
        official=official_swin,
    ),
]
