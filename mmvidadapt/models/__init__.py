"""Models, imported on demand; ``mmaction.registry.MODELS`` has them, too."""

from typing import TYPE_CHECKING

from mmvidadapt.utils.registration import lazy_attributes

if TYPE_CHECKING:
    from .backbones import *  # noqa: F403
    from .data_preprocessors import *  # noqa: F403
    from .heads import *  # noqa: F403
    from .recognizers import *  # noqa: F403
    from .tokenizers import *  # noqa: F403

__getattr__ = lazy_attributes(__name__, 'mmaction.models')
