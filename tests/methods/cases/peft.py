"""ImageViT, VPT, AdaptFormer, ST-Adapter and LoRA."""

from tests.methods.cases import REGISTERS, Case, names

VIT = dict(arch='tiny', img_size=16)
CLIP = (3, 4, 16, 16)
BLOCK = 'transformer.resblocks.{}.'
SIZE = ((3, 4, 32, 32), 'img_size.*16, 16.*32, 32')
IMAGE = dict(type='ImageViT', **VIT)
IMAGENET = {
    'imagenet': dict(dialect='imagenet'),
    'registers': dict(dialect=REGISTERS),
}


def adapter(place, *parts):
    """List what the adapters of two blocks train."""
    return names(BLOCK, 2, *(f'{place}.{part}.*' for part in parts))


CASES = [
    Case(
        dict(IMAGE, full_finetune=True),
        CLIP,
        names('', 1, 'class_embedding', 'positional_embedding')
        | names('', 1, 'conv1.weight', 'ln_pre.*', 'ln_post.*')
        | names(BLOCK, 2, 'ln_1.*', 'ln_2.*', 'mlp.c_fc.*', 'mlp.c_proj.*')
        | names(BLOCK, 2, 'attn.in_proj_weight', 'attn.in_proj_bias')
        | names(BLOCK, 2, 'attn.out_proj.*'),
        keys='8d613fb98ebf',
        drawn=0.074401149,
        variants=IMAGENET,
        wrong=[
            (dict(out_type='mean'), 'out_type.*mean.*avg_featmap'),
            (dict(num_frames=8), 'num_frames'),
            (
                dict(full_finetune=False, trainable=('ln_last.*',)),
                'No parameter of ImageViT.*ln_last',
            ),
            (dict(img_size=(16, 20)), r'img_size=\(16, 20\).*patch_size=8'),
            (
                dict(dialect=dict(REGISTERS, norm='rms')),
                "dialect=.*unknown.*'norm'",
            ),
        ],
        wrong_clips=[SIZE, ((3, 16, 16), r'ImageViT.*not \(2, 3, 16, 16\)')],
    ),
    Case(
        dict(type='VPT', num_prompts=3, **VIT),
        CLIP,
        names(BLOCK, 2, 'prompts'),
        keys='ea6a3e3645f4',
        drawn=0.074434046,
        variants=IMAGENET,
        wrong=[(dict(num_prompts=0), 'num_prompts=0')],
        wrong_clips=[SIZE],
    ),
    Case(
        dict(type='AdaptFormer', adapter_dims=5, **VIT),
        CLIP,
        adapter('mlp_adapter', 'down', 'up'),
        keys='a4e08bdc8525',
        drawn=0.074771376,
        image=IMAGE,
        variants=IMAGENET,
        wrong=[(dict(adapter_dims=0), 'width=0.*embed_dims=32')],
        wrong_clips=[SIZE],
    ),
    Case(
        dict(type='STAdapter', num_frames=4, adapter_dims=6, **VIT),
        CLIP,
        adapter('attn_adapter', 'down', 'conv', 'up'),
        keys='6f4323dd1e2f',
        drawn=0.072914506,
        image=IMAGE,
        variants=dict(IMAGENET, twice=dict(places=('attn', 'mlp'))),
        wrong=[
            (dict(adapter_dims=0), 'adapter_dims=0'),
            (dict(num_frames=0), 'num_frames=0'),
            (dict(places=('atn',)), 'places=.*atn.*attn'),
            (dict(places=()), r'No parameter of STAdapter'),
        ],
        wrong_clips=[SIZE, ((3, 8, 16, 16), 'num_frames=4.* 8 frames')],
    ),
    Case(
        dict(type='LoRA', rank=3, alpha=6, **VIT),
        CLIP,
        names(BLOCK, 2, *(f'lora.{name}.{m}' for name in 'qv' for m in 'AB')),
        keys='2acbe571ea21',
        drawn=0.074309993,
        image=IMAGE,
        variants=dict(IMAGENET, all=dict(targets=('q', 'k', 'v', 'o'))),
        wrong=[
            (dict(rank=0), 'rank=0'),
            (dict(targets=()), r'targets=\(\)'),
            (dict(targets='qv'), "targets='qv' is a string"),
            (dict(targets=('w',)), 'targets.*w.*q.*o'),
            (dict(num_frames=8), 'num_frames'),
        ],
        wrong_clips=[SIZE],
    ),
]
