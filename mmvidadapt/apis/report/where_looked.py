"""Find where a recognizer looked in a clip, by gradient x activation."""

from contextlib import ExitStack, contextmanager
from typing import Iterator, List, Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from mmvidadapt.methods.dualpath.backbone import DualPath
from mmvidadapt.methods.dualpath.block import split_paths
from mmvidadapt.methods.dualpath.framesets import sample_frames
from mmvidadapt.trunks.parts.segments import segments_of

from ..inspect.path_attention import cut_framesets

CELLS = 14  # of pixels, along the shorter side, where no tokens are known


def where_looked(
    model: nn.Module,
    views: Tensor,
    target: Optional[int] = None,
    task: Optional[str] = None,
) -> Tensor:
    """Attribute the score of a class to frames and places.

    The gradient of the score, less the mean of all classes, times activations,
    summed over channels, where it speaks for the class: of tokens that enter
    the later blocks of a ViT, of the maps that a backbone gives, as in
    `Grad-CAM <https://arxiv.org/abs/1610.02391>`_, or of pixels. A frozen
    trunk that runs without gradients has some meanwhile.

    Args:
        model (nn.Module): A recognizer in evaluation mode.
        views (Tensor): Normalised frames of a clip, ``(V, 3, T, H, W)``, or
            ``(V*T, 3, H, W)`` for a 2D recognizer.
        target (int, optional): The class. Defaults to None: the best one.
        task (str, optional): Whose score, where there are several tasks.
            Defaults to None.

    Returns:
        Tensor: Maps that add up to 1, ``(V*T, h, w)`` in float32.

    Raises:
        ValueError: If no gradient reaches the frames.
    """
    frames = views.shape[0] * (views.shape[2] if views.ndim == 5 else 1)
    with _gradients(model), _Taps(model.backbone) as taps:
        pixels = views.detach().requires_grad_()
        logits = model(pixels[None], stage='head')
        score = _score(logits if task is None else logits[task], target)
        maps = [taps.lay_out(x) for x in _evidence(score, taps.seen)]
        maps = [m for m in maps if m is not None]
        maps = maps or [_of_pixels(x) for x in _evidence(score, [pixels])]
    if not maps:
        name = type(model.backbone).__name__
        raise ValueError(f'{name} lets no gradient through to its frames.')
    return _mean([_share(_resize(m, frames)) for m in maps])  # (V*T, h, w)


def _mean(maps: List[Tensor]) -> Tensor:
    """Average maps, on the finest of their grids."""
    size = max(maps, key=lambda m: m.shape[-1] * m.shape[-2]).shape[-2:]
    maps = [F.interpolate(m[None], size, mode='bilinear')[0] for m in maps]
    return _share(torch.stack(maps).mean(0))  # (V*T, h, w)


def _score(logits: Tensor, target: Optional[int]) -> Tensor:
    """Return the mean score of a class over views, against all classes."""
    scores = logits.reshape(-1, logits.shape[-1]).mean(0)  # (K,)
    best = int(scores.argmax()) if target is None else target
    return scores[best] - scores.mean()


def _evidence(score: Tensor, tensors: List[Tensor]) -> List[Tensor]:
    """Multiply tensors by the gradient of a score, where there is one."""
    taken = [x for x in tensors if x.requires_grad]
    if not taken or not score.requires_grad:
        return []
    grads = torch.autograd.grad(
        score, taken, retain_graph=True, allow_unused=True
    )
    return [
        (x * grad).detach().float()
        for x, grad in zip(taken, grads)
        if grad is not None
    ]


def _of_pixels(evidence: Tensor) -> Tensor:
    """Gather pixels into cells, (V, 3, T, H, W) to (V*T, h, w)."""
    if evidence.ndim == 5:
        evidence = rearrange(evidence, 'v k t h w -> (v t) k h w')
    x = evidence.sum(1, keepdim=True).abs()  # (V*T, 1, H, W)
    side = min(x.shape[-2:])
    grid = [max(1, round(CELLS * n / side)) for n in x.shape[-2:]]
    grid = [min(g, n) for g, n in zip(grid, x.shape[-2:])]
    return F.adaptive_avg_pool2d(x, grid)[:, 0]  # (V*T, h, w)


def _resize(maps: Tensor, frames: int) -> Tensor:
    """Give every frame the map of its tubelet, (T', h, w) to (T, h, w)."""
    places = torch.arange(frames, device=maps.device) * len(maps) // frames
    return maps[places]


def _share(maps: Tensor) -> Tensor:
    """Keep what speaks for the class, and divide by the sum.

    Where nothing does, what speaks against it is kept.
    """
    maps = maps.clamp(min=0) if maps.max() > 0 else -maps
    return maps / maps.sum().clamp(min=1e-30)


class _Taps:
    """Catch the tensors of a backbone that are laid out in space."""

    def __init__(self, backbone: nn.Module) -> None:
        self.backbone, self.seen, self.hooks = backbone, [], []
        self.blocks = getattr(
            getattr(backbone, 'transformer', None), 'resblocks', ()
        )

    def __enter__(self) -> '_Taps':
        for block in self.blocks[len(self.blocks) // 2 :]:
            self.hooks.append(block.register_forward_pre_hook(self._enter))
        if not len(self.blocks):
            self.hooks.append(self.backbone.register_forward_hook(self._leave))
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _enter(self, _: nn.Module, args: tuple) -> tuple:
        """Keep the tokens that enter a block."""
        x = args[0]
        if not x.requires_grad:
            x = x.detach().requires_grad_()
        self.seen.append(x)
        return (x, *args[1:])

    def _leave(self, _: nn.Module, args: tuple, out: object) -> None:
        """Keep the maps that a backbone gives."""
        maps = out[-1] if isinstance(out, (list, tuple)) else out
        if torch.is_tensor(maps) and maps.ndim in (4, 5):
            self.seen.append(maps)

    def lay_out(self, x: Tensor) -> Optional[Tensor]:
        """Sum over channels, in frames and places: (V*T', h, w)."""
        if not len(self.blocks):
            if x.shape[-1] * x.shape[-2] < 2:
                return None  # nothing is told apart
            if x.ndim == 4:
                return x.sum(1)
            return rearrange(x.sum(1), 'v t h w -> (v t) h w')
        if isinstance(self.backbone, DualPath):
            return _of_paths(self.backbone, x.sum(-1))
        h, w = self.backbone.patch_grid
        x = x.sum(-1).flatten(0, -2)  # (S, L)
        prefix = self.backbone.num_prefix_tokens
        if (x.shape[1] - prefix) % (h * w):
            return None
        return rearrange(x[:, prefix:], 's (t h w) -> (s t) h w', h=h, w=w)


def _of_paths(model: DualPath, x: Tensor) -> Optional[Tensor]:
    """Lay the tokens of framesets and sparse frames out, (V*T, h, w)."""
    x = x[:, model.num_prefix_tokens :].unflatten(-1, model.patch_grid)
    parts = split_paths(x, model.images)
    temporal, spatial = (
        part.unflatten(0, (-1, number)) if number else None
        for part, number in zip(parts, model.images)
    )  # (V, images, h, w)
    if model.framesets_from == 'pipeline':
        return None
    maps = torch.zeros(())
    if temporal is not None:
        maps = cut_framesets(temporal, *model.grid)  # (V, T, H, W)
        maps = F.interpolate(maps, model.patch_grid, mode='area')
    if spatial is not None:
        of_frame = torch.arange(model.num_frames)[None, None, :, None, None]
        kept = sample_frames(of_frame, model.images[1]).flatten()
        whole = spatial.new_zeros(
            len(spatial), model.num_frames, *spatial.shape[2:]
        )
        maps = maps + whole.index_add(1, kept.to(x.device), spatial)
    return maps.flatten(0, 1)  # (V*T, h, w)


@contextmanager
def _gradients(model: nn.Module) -> Iterator[None]:
    """Let gradients pass a frozen trunk; compute nothing twice."""
    first = next(
        (p for p in model.backbone.parameters() if p.is_floating_point()),
        None,
    )
    kept: List[tuple] = [
        (module, module.with_cp)
        for module in model.modules()
        if getattr(module, 'with_cp', False)
    ]
    with ExitStack() as stack:
        if first is not None:
            stack.callback(first.requires_grad_, first.requires_grad)
            first.requires_grad_(True)
        for module, value in kept:
            stack.callback(setattr, module, 'with_cp', value)
            module.with_cp = False
        stack.enter_context(torch.enable_grad())
        yield


def look(
    model: nn.Module,
    sample: dict,
    target: Optional[int] = None,
    task: Optional[str] = None,
) -> Tuple[Tensor, Tensor]:
    """Show a recognizer the middle view of a sample, and ask where it looked.

    Args:
        model (nn.Module): A recognizer.
        sample (dict): What a test pipeline made of a clip.
        target (int, optional): See :func:`where_looked`. Defaults to None.
        task (str, optional): See :func:`where_looked`. Defaults to None.

    Returns:
        Tuple[Tensor, Tensor]: RGB frames, uint8, ``(T, H, W, 3)``, and maps,
        ``(T, h, w)``; those of all segments that are read together.
    """
    views, shape = sample['inputs'], 'f k h w -> f h w k'
    if views.ndim == 5:  # (V, 3, T, H, W)
        number, shape = segments_of(model), 'v k t h w -> (v t) h w k'
        first = len(views) // number // 2 * number
        views = views[first : first + number]
    sample = dict(sample, inputs=views)
    batch = model.data_preprocessor(pseudo_collate([sample]))
    maps = where_looked(model, batch['inputs'][0], target, task)
    return rearrange(views, shape).cpu(), maps.cpu()
