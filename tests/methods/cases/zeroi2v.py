"""ZeroI2V, and what it is merged into."""

from tests.methods.cases import REGISTERS, Case, names

VIT = dict(
    arch=dict(embed_dims=32, num_layers=2, num_heads=4, patch_size=8),
    img_size=16,
    num_frames=4,
)
CLIP = (3, 4, 16, 16)
BLOCK = 'transformer.resblocks.{}.'
SHIFTED = dict(type='ShiftedViT', **VIT)
VARIANTS = {
    'imagenet': dict(dialect='imagenet'),
    'registers': dict(dialect=REGISTERS),
    'further': dict(shifts=(-1, 1, -2, 2)),
    'beyond the clip': dict(shifts=(5, -4)),
    'half of the heads': dict(shift_div=2),
    'mean of patches': dict(cls_token=False, out_type='avg_featmap'),
}
WRONG = [
    (dict(num_frames=0), 'num_frames=0: give 1'),
    (dict(shifts=(-1, 0)), r'shifts=\(-1, 0\).*whole numbers'),
    (dict(shifts=(-1, 1), shift_div=3), 'shift_div=3.*num_heads=4'),
    (dict(shifts=(-1, 1, 2), shift_div=2), 'take 3 of shift_div=2'),
]
WRONG_CLIPS = [
    ((3, 8, 16, 16), 'num_frames=4.* 8 frames'),
    ((3, 4, 32, 32), 'img_size.*16, 16.*32, 32'),
]
ADAPTERS = [f'{p}_adapter_{d}' for p in ('attn', 'mlp') for d in ('in', 'out')]

CASES = [
    Case(
        dict(
            SHIFTED, trainable=('temporal_embedding', r'.*\.attn\.in_proj_.*')
        ),
        CLIP,
        {'temporal_embedding'}
        | names(BLOCK, 2, 'attn.in_proj_weight', 'attn.in_proj_bias'),
        keys='22cf0e23a000',
        drawn=0.074103545,
        variants=VARIANTS,
        wrong=WRONG,
        wrong_clips=WRONG_CLIPS,
    ),
    Case(
        dict(type='ZeroI2V', adapter_dropout=0.0, **VIT),
        CLIP,
        {'temporal_embedding'}
        | names('', 1, 'ln_post.*')
        | names(
            BLOCK, 2, *(f'{a}.{e}.*' for a in ADAPTERS for e in ('down', 'up'))
        ),
        keys='b5d313a8e2a5',
        drawn=0.065912821,
        image=SHIFTED,
        variants=VARIANTS,
        wrong=[
            *WRONG,
            (dict(adapter_ratio=0.01), 'ratio=0.01.*embed_dims=32'),
        ],
        wrong_clips=WRONG_CLIPS,
    ),
]
