"""Choose by the size of the data how readers of a frozen trunk are trained."""

import math
from typing import NamedTuple, Tuple

from mmengine.config import Config

FEW, MANY = 60, 600  # clips


class Recipe(NamedTuple):
    """How readers are trained on own videos.

    Args:
        img_size (int): Height and width of a frame in pixels.
        num_frames (int): Frames of a clip, spread over the whole video.
        passes (int): How often every clip is augmented and cached.
        steps (int): Steps of a training.
        batch_size (int): Clips of a step.
        lr (Tuple[float, ...]): Learning rates that are compared.
        weight_decay (Tuple[float, ...]): Weight decays that are compared.
        layers (int): Decoder layers of EVL, and blocks that are tapped.
        reasons (Tuple[str, ...]): Why, in sentences.
    """

    img_size: int
    num_frames: int
    passes: int
    steps: int
    batch_size: int
    lr: Tuple[float, ...]
    weight_decay: Tuple[float, ...]
    layers: int
    reasons: Tuple[str, ...]


def choose_recipe(num_clips: int, seconds: float) -> Recipe:
    """Choose how readers are trained.

    Found on groups that no figure in docs/own_videos.md was measured on.

    Args:
        num_clips (int): Number of clips that are trained on.
        seconds (float): The time that there is for everything.

    Returns:
        Recipe: What to do, and why.
    """
    share = math.log(max(num_clips, 1) / FEW) / math.log(MANY / FEW)
    steps = int(round(160 + 320 * min(max(share, 0.0), 1.0), -1))
    passes = next(p for p in (4, 2, 1) if p == 1 or p * num_clips <= seconds)
    said = (
        f'{steps} steps of 16 clips: a new layer needs steps, not epochs.',
        f'Every clip is cached as it is and {passes} times augmented (another '
        'frame of each eighth, half of the picture at least, other colours).',
        'Position and motion of EVL learn 30 times as fast: they start at '
        'zero, and later would be too late.',
        'What does not change in a clip is taken off its features: few clips '
        'would be told apart by rooms and people (center=False keeps it).',
    )
    return Recipe(112, 8, passes, steps, 16, (1e-3, 3e-4), (0.05,), 4, said)


def epochs_of(recipe: Recipe, num_clips: int) -> int:
    """Return the epochs that are as many steps, at least 1."""
    return max(1, round(recipe.steps * recipe.batch_size / num_clips))


def set_schedule(config: Config, recipe: Recipe, num_clips: int) -> None:
    """Write steps and rates into a config of few clips.

    Args:
        config (Config): It is changed.
        recipe (Recipe): What is wanted.
        num_clips (int): Number of clips that are trained on.
    """
    epochs = epochs_of(recipe, num_clips)
    steps = epochs * math.ceil(num_clips / recipe.batch_size)
    config.max_epochs = epochs
    config.train_cfg.update(max_epochs=epochs, val_interval=epochs)
    config.train_dataloader.batch_size = recipe.batch_size
    optimizer = config.optim_wrapper.optimizer
    optimizer.update(lr=recipe.lr[0], weight_decay=recipe.weight_decay[0])
    linear, cosine = config.param_scheduler
    for scheduler in (linear, cosine):  # in steps, not epochs
        scheduler.by_epoch = False
        scheduler.pop('convert_to_iter_based', None)
    linear.end = cosine.begin = warm = max(1, steps // 10)
    cosine.update(T_max=max(1, steps - warm), end=max(2, steps))
