"""What a user chooses for own videos."""

from typing import NamedTuple, Optional

from .config import find_recipe
from .image_size import split_trunk


class Choices(NamedTuple):
    """Choices of a user; None leaves them to the recipe and the data."""

    method: str = 'aim'
    arch: str = 'vitb16'
    trunk: Optional[str] = None
    batch_size: Optional[int] = None
    gpus: int = 1
    epochs: Optional[int] = None
    img_size: Optional[int] = None
    sampling: Optional[str] = None  # 'whole' or 'dense'
    flip: Optional[bool] = None
    few_clips: bool = False
    balance: Optional[str] = None  # of uneven classes: one of HOW
    other: Optional[str] = None  # the class that is everything else
    false_alarm_rate: float = 0.05

    @property
    def name(self) -> str:
        """Method and trunk, as files and folders are called after them."""
        trunk = self.arch if self.trunk is None else split_trunk(self.trunk)[0]
        return f'{self.method}_{trunk.rpartition("/")[2]}'

    def check(self) -> None:
        """Raise on what no config can have."""
        for name in ('batch_size', 'gpus', 'epochs', 'img_size'):
            value = getattr(self, name)
            if value is not None and value < 1:
                option = name.replace('_', '-')
                raise ValueError(f'--{option} {value}: give 1 or more.')
        if not 0 <= self.false_alarm_rate < 1:
            raise ValueError(
                f'--false-alarm-rate {self.false_alarm_rate}: give a share '
                'from 0 to 1.'
            )
        find_recipe(self.method, self.arch)
