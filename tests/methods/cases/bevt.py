"""BEVT's fine-tuned Video Swin."""

from mmvidadapt.models import BEVTVideoSwin
from tests.methods.cases import Case

SWIN = dict(arch='tiny', img_size=32, num_frames=8, window_size=(2, 2, 2))


def every_name():
    """Everything is trained."""
    return {name for name, _ in BEVTVideoSwin(**SWIN).named_parameters()}


CASES = [
    Case(
        dict(type='BEVTVideoSwin', **SWIN),
        (3, 8, 32, 32),
        every_name(),
        keys='6cec3867c82a',
        drawn=0.084059484,
        variants={
            'padded': dict(window_size=(3, 3, 3)),
            'scaled': dict(qk_scale=0.3, window_size=(8, 4, 2)),
            'first stage frozen': dict(frozen_stages=0),
        },
        checkpoints=(True,),
    )
]
