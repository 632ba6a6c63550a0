"""Video transformers, and the windowed ones that BEVT and AIM start from."""

from typing import Dict

from ..row import FLAX, HALF, IMAGENET, Trunk

_B, _L = ('base-p16', 768), ('large-p16', 1024)
_VIVITS = (
    ('vivit/b16x2_k400', 'vivit', _B, 'Apache-2.0', 'model 1, K400'),
    ('vivit/b16x2_fe_k400', 'vivit_fe', _B, 'Apache-2.0', 'model 2, K400'),
    ('vivit/l16x2_fe_k400', 'vivit_fe', _L, 'Apache-2.0', 'model 2, K400'),
    ('vivit/l16x2_fe_k600', 'vivit_fe', _L, 'Apache-2.0', 'model 2, K600'),
    ('vivit/l16x2_fe_epic', 'vivit_fe', _L, 'Apache-2.0', 'model 2, EPIC'),
    ('google/vivit-b-16x2', 'vivit', _B, 'MIT', 'model 1'),
    ('google/vivit-b-16x2-kinetics400', 'vivit', _B, 'MIT', 'model 1, K400'),
)
_SWIN = 'microsoft/swin_base_patch4_window7_224'
_SWINS = (
    (f'{_SWIN}_22k', 'swin', 'MIT', 'Swin-B, ImageNet-22k'),
    (_SWIN, 'swin', 'MIT', 'Swin-B, ImageNet-1k'),
    (
        'bevt/swinb_in1k',
        'video_swin',
        'Apache-2.0',
        'Video Swin-B, image stream of BEVT',
    ),
    (
        'bevt/swinb_in1k_k400',
        'video_swin',
        'Apache-2.0',
        'Video Swin-B, both streams of BEVT',
    ),
)

ROWS: Dict[str, Trunk] = {
    **{
        name: Trunk(family, *sizes, *HALF, licence, f'ViViT {note}', FLAX)
        for name, family, sizes, licence, note in _VIVITS
    },
    **{
        name: Trunk(
            family,
            'base',
            1024,
            *IMAGENET,
            licence,
            note,
            by_hand=name.startswith('bevt/'),
        )
        for name, family, licence, note in _SWINS
    },
}
