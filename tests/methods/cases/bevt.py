"""BEVT's Video Swin, pretrained on each stream and fine-tuned."""

import math

import torch

from mmvidadapt.models import BEVTSwin, BEVTVideoSwin
from tests.methods.cases import Case

TOY = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4))
SWIN = dict(arch='tiny', img_size=32, num_frames=8, window_size=(2, 2, 2))


def every_name(kind, **given):
    """Everything is trained."""
    model = kind(**{**SWIN, **given})
    return {name for name, _ in model.named_parameters()}


class Masked(Case):
    """A model for pretraining; one token of three is hidden."""

    def build(self, random=True, **given):
        """Build a model that gets its mask with every batch."""
        model = super().build(random, **given)
        times = (model.num_frames // model.span,) * (len(self.clip) == 4)
        shape = (*times, *model.mask_grid)
        mask = torch.arange(math.prod(shape)).view(shape) % 3 == 0
        model.register_forward_pre_hook(
            lambda _, args: (args[0], mask.expand(len(args[0]), *shape))
        )
        return model


def pretraining(stream, clip, window, keys, drawn, wrong=()):
    """Describe BEVTSwin on one stream."""
    given = dict(SWIN, streams=(stream,), window_size=window)
    return Masked(
        dict(type='BEVTSwin', **given),
        clip,
        every_name(BEVTSwin, **given),
        keys=keys,
        drawn=drawn,
        variants={
            'as in Swin': dict(image_mask_mode='swin'),
            'small windows of a large table': dict(
                window_size=(8, 4, 2), image_mask_mode='swin'
            ),
            'scaled, no norm of patches': dict(
                arch=dict(TOY, qk_scale=0.3, patch_norm=False)
            ),
        },
        wrong=wrong,
        wrong_clips=[
            ((3, 32, 40), 'expects .B, 3, .*32, 32'),
            ((3, 4, 32, 32), 'num_frames'),
            ((3, 32), 'streams'),
        ],
        checkpoints=(True,),
        autocast=False,  # the gradients of the last norm cancel out
    )


CASES = [
    Case(
        dict(type='BEVTVideoSwin', **SWIN),
        (3, 8, 32, 32),
        every_name(BEVTVideoSwin),
        keys='6cec3867c82a',
        drawn=0.084059484,
        variants={
            'padded': dict(window_size=(3, 3, 3)),
            'scaled': dict(qk_scale=0.3, window_size=(8, 4, 2)),
            'first stage frozen': dict(frozen_stages=0),
        },
        wrong_clips=[
            ((3, 4, 32, 32), 'num_frames=8 .*3, 8, 32, 32.*3, 4, 32, 32'),
            ((3, 8, 32, 40), 'img_size=.32, 32.*3, 8, 32, 40'),
        ],
        checkpoints=(True,),
    ),
    pretraining(
        'video',
        (3, 8, 32, 32),
        (2, 2, 2),
        'a70762cd8936',
        0.028502373,
        [
            (dict(num_frames=7), 'num_frames=7 is not a multiple of 2'),
            (dict(streams=('images',)), "'images'.*is not among"),
            (dict(streams='image'), 'is a string'),
            (dict(image_mask_mode='none'), "'none'.*is not among"),
            (dict(arch='huge'), "Unknown arch 'huge'"),
            (
                dict(arch=dict(TOY, depths=(2,), num_heads=(2,))),
                'the decoders join two',
            ),
        ],
    ),
    pretraining(
        'image',
        (3, 32, 32),
        (1, 2, 2),
        'e46e6c16cc95',
        0.026646318,
        [
            (dict(img_size=40), 'not a multiple of .16, 16.*window'),
            (
                dict(img_size=48, window_size=(2, 4, 4)),
                'not a multiple of .32, 32., 8 times.*image_mask_mode',
            ),
        ],
    ),
]
