"""Show what a pretrained model fills in where a clip is masked."""

from pathlib import Path
from typing import Dict, NamedTuple, Optional, Union

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

GREY = 128
RIGHT, WRONG = (0, 170, 0), (200, 0, 0)
QUARTER = 4  # the most confident part of the predictions


class FilledClip(NamedTuple):
    """A clip, what was hidden of it and what stands there instead.

    Tokens are ``(T, gh, gw)``, pictures uint8 ``(T, H, W, 3)``; T is 1 for
    an image.
    """

    frames: np.ndarray
    mask: np.ndarray
    tokens: np.ndarray  # what the tokenizer says
    predicted: np.ndarray
    probs: np.ndarray  # of what is predicted
    filled: Optional[np.ndarray]  # predictions drawn in; None: no decoder

    def accuracy(self, part: int = 1) -> float:
        """Return how many predictions are right, surest 1/part only."""
        right = (self.predicted == self.tokens)[self.mask]
        order = np.argsort(-self.probs[self.mask], kind='stable')
        return float(right[order[: max(1, len(order) // part)]].mean())

    def __str__(self) -> str:
        """Format as one line."""
        return (
            f'{self.mask.sum()} of {self.mask.size} tokens masked, '
            f'{self.accuracy():.1%} right, {self.accuracy(QUARTER):.1%} of '
            'the surest quarter'
        )


@torch.no_grad()
def fill_masked(model: nn.Module, item: dict) -> FilledClip:
    """Predict the masked tokens of a sample with a pretraining model.

    Args:
        model (nn.Module): A
            :class:`~mmvidadapt.models.BEVTPretrainer`.
        item (dict): What its training data set gives: ``inputs`` and
            ``data_samples``.

    Returns:
        FilledClip: With pictures where the tokenizer can draw its tokens.
    """
    model.eval()
    data = model.data_preprocessor(pseudo_collate([item]))
    sample = model.predict(data)[0]
    predicted, mask = sample.pred_tokens, sample.mask
    if not mask.any():
        raise ValueError('Nothing is masked in this sample; take another one.')
    stream = 'video' if mask.ndim == 3 else 'image'
    frames = _frames(item['inputs'], stream)  # (T, 3, H, W)
    everywhere = torch.ones_like(mask)[None]
    tokens = model.targets([sample], everywhere, stream).view_as(predicted)
    span = len(predicted) // (len(mask) if mask.ndim == 3 else 1)
    mask = mask.view(-1, *mask.shape[-2:]).repeat_interleave(span, 0)
    filled = _draw_in(model, frames, mask, tokens, predicted)
    return FilledClip(
        _pictures(frames),
        *(x.cpu().numpy() for x in (mask, tokens, predicted)),
        sample.pred_probs.cpu().numpy(),
        None if filled is None else _pictures(filled),
    )


def _frames(inputs: Tensor, stream: str) -> Tensor:
    """Turn a clip (3, T, H, W) or an image (3, H, W) into (T, 3, H, W)."""
    size = inputs.shape[-2:]
    if stream == 'video':
        return inputs.view(3, -1, *size).transpose(0, 1).float()
    return inputs.view(1, 3, *size).float()


def _pictures(frames: Tensor) -> np.ndarray:
    """Turn (T, 3, H, W) into uint8 (T, H, W, 3)."""
    frames = frames.round().clamp(0, 255).permute(0, 2, 3, 1)
    return frames.byte().cpu().numpy()


def _draw_in(
    model: nn.Module,
    frames: Tensor,
    mask: Tensor,
    tokens: Tensor,
    predicted: Tensor,
) -> Optional[Tensor]:
    """Put decoded predictions where the clip was masked, (T, 3, H, W)."""
    tokenizer = model.tokenizer_on(predicted.device)
    if not tokenizer.decodes:
        return None
    drawn = tokenizer.decode(torch.where(mask, predicted, tokens))
    size = frames.shape[-2:]
    drawn = nn.functional.interpolate(drawn, size, mode='bilinear')
    hidden = nn.functional.interpolate(mask[:, None].float(), size)
    return torch.where(hidden.bool(), drawn, frames.to(drawn))


def paint_mask(clip: FilledClip) -> np.ndarray:
    """Return the frames with a grey veil over what is hidden."""
    hidden = _enlarge(clip.mask, clip.frames)[..., None]
    return np.where(hidden, np.uint8(GREY), clip.frames)


def paint_confidence(clip: FilledClip) -> np.ndarray:
    """Return the frames with every prediction as bright as it is sure.

    A prediction that is right has a green edge, a wrong one a red one.
    """
    import matplotlib

    shades = matplotlib.colormaps['viridis'](clip.probs)[..., :3] * 255
    painted = []
    for t, frame in enumerate(clip.frames):
        frame = np.ascontiguousarray(frame // 2)
        height, width = frame.shape[0], frame.shape[1]
        rows, columns = clip.mask.shape[1:]
        for y, x in np.argwhere(clip.mask[t]):
            top, left = y * height // rows, x * width // columns
            low = ((y + 1) * height // rows, (x + 1) * width // columns)
            corners = (left, top), (low[1] - 1, low[0] - 1)
            shade = tuple(map(int, shades[t, y, x]))
            right = clip.predicted[t, y, x] == clip.tokens[t, y, x]
            cv2.rectangle(frame, *corners, shade, cv2.FILLED)
            cv2.rectangle(frame, *corners, RIGHT if right else WRONG, 1)
        painted.append(frame)
    return np.stack(painted)


def _enlarge(cells: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Spread cells (T, gh, gw) over frames (T, H, W, 3)."""
    (_, rows, columns), (height, width) = cells.shape, frames.shape[1:3]
    y = np.arange(height) * rows // height
    x = np.arange(width) * columns // width
    return cells[:, y[:, None], x]


def _rows(clip: FilledClip) -> Dict[str, np.ndarray]:
    """Return the rows of the picture by name."""
    rows = {
        'clip': clip.frames,
        'masked': paint_mask(clip),
        'confidence': paint_confidence(clip),
    }
    if clip.filled is not None:
        rows['filled in'] = clip.filled
    return rows


def save_picture(
    clip: FilledClip, path: Union[str, Path], most: int = 8
) -> None:
    """Draw frames, mask, confidence and, if known, what is filled in.

    Args:
        clip (FilledClip): Of :func:`fill_masked`.
        path (str | Path): File of the picture; its folder is made.
        most (int): Frames that are shown, evenly spread. Defaults to 8.
    """
    import matplotlib

    matplotlib.use('Agg')  # there may be no screen
    from matplotlib import pyplot

    rows = _rows(clip)
    number = min(most, len(clip.frames))
    shown = np.linspace(0, len(clip.frames) - 1, number).round().astype(int)
    figure, axes = pyplot.subplots(
        len(rows),
        number,
        figsize=(1 + 1.5 * number, 0.6 + 1.5 * len(rows)),
        squeeze=False,
        layout='constrained',
    )
    for line, (name, pictures) in zip(axes, rows.items()):
        line[0].set_ylabel(name)
        for axis, t in zip(line, shown):
            axis.imshow(pictures[t])
            axis.set_xticks([])
            axis.set_yticks([])
    scale = pyplot.cm.ScalarMappable(cmap='viridis')
    scale.set_clim(0, 1)
    figure.colorbar(scale, ax=axes, label='probability of the prediction')
    figure.suptitle(str(clip), fontsize=9)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
