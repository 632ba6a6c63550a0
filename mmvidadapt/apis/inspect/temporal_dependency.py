"""Measure the temporal dependency: single frames and shuffled clips."""

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from torch import Tensor

from mmvidadapt.utils.text_table import text_table

from ..use.inference import auto_device, load_strictly, sampling_index
from .motion_report import predict_through

NORMAL, SINGLE, SHUFFLED = VARIANTS = ('normal', 'single frame', 'shuffled')
MOST_BARS = 40  # classes that a picture has room for


class Dependency(NamedTuple):
    """Labels and predictions of the same clips, each (clips,)."""

    labels: Tensor
    predicted: Dict[str, Tensor]  # by variant
    classes: List[str]

    def top1(self, variant: str) -> float:
        """Return the share of clips that are right."""
        return (self.predicted[variant] == self.labels).double().mean().item()

    def per_class(self, variant: str) -> Tensor:
        """Return the accuracy of each class, (classes,); nan without clips."""
        right = (self.predicted[variant] == self.labels).double()
        counts = torch.bincount(self.labels, minlength=len(self.classes))
        sums = torch.zeros(len(self.classes), dtype=torch.double)
        return sums.index_add_(0, self.labels, right) / counts

    def mean_class(self, variant: str) -> float:
        """Return the accuracy averaged over the classes that have clips."""
        return self.per_class(variant).nanmean().item()

    def drop(self, variant: str) -> Tensor:
        """Return what each class loses against the normal clips."""
        return self.per_class(NORMAL) - self.per_class(variant)

    def figures(self) -> dict:
        """Return everything as plain numbers, under the names of classes."""
        scores = {v: self.per_class(v).tolist() for v in VARIANTS}
        drops = {v: self.drop(v).tolist() for v in VARIANTS[1:]}
        seen = [not torch.isnan(x).item() for x in self.per_class(NORMAL)]
        return dict(
            clips=len(self.labels),
            top1={v: self.top1(v) for v in VARIANTS},
            mean_class={v: self.mean_class(v) for v in VARIANTS},
            drop={v: self.top1(NORMAL) - self.top1(v) for v in VARIANTS[1:]},
            per_class={
                name: dict(
                    accuracy={v: scores[v][i] for v in VARIANTS},
                    drop={v: drops[v][i] for v in VARIANTS[1:]},
                )
                for i, name in enumerate(self.classes)
                if seen[i]
            },
        )


def measure_dependency(
    config: Config,
    checkpoint: str,
    device: Optional[str] = None,
    frame: Union[str, int] = 'middle',
    seed: int = 0,
    num_workers: int = 0,
    classes: Optional[Sequence[str]] = None,
) -> Dependency:
    """Test a recognizer on whole clips, on single frames and shuffled.

    Args:
        config (Config): Config of any recognizer, with a
            ``test_dataloader`` whose pipeline samples and decodes frames.
        checkpoint (str): Path or URL of a checkpoint that fits the config.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.
        frame (str | int): Which frame of a clip stands for all of it:
            ``'middle'``, ``'random'`` or a number. Defaults to ``'middle'``.
        seed (int): Of random frames and orders. Defaults to 0.
        num_workers (int): Processes that decode. Defaults to 0.
        classes (Sequence[str], optional): Names of the classes.
            Defaults to None: their numbers.

    Returns:
        Dependency: Labels and predictions.
    """
    steps = _test_pipeline(config)
    pipelines = {v: varied(steps, v, frame, seed) for v in VARIANTS}
    model = init_recognizer(config, device=device or auto_device())
    load_strictly(model, checkpoint)
    predicted = {}
    for variant, pipeline in pipelines.items():
        labels, predicted[variant] = predict_through(
            model, config, pipeline, num_workers
        )
    return Dependency(labels, predicted, _names(labels, predicted, classes))


def _test_pipeline(config: Config) -> List[dict]:
    """Return the steps that a config tests videos with."""
    loader = config.get('test_dataloader') or {}
    if 'pipeline' not in loader.get('dataset', {}):
        raise ValueError(
            'The config has no `test_dataloader` whose `dataset` has a '
            '`pipeline`; give the config of a recognizer that tests videos.'
        )
    return loader['dataset']['pipeline']


def varied(
    pipeline: Sequence[dict],
    variant: str,
    frame: Union[str, int] = 'middle',
    seed: int = 0,
) -> List[dict]:
    """Return a test pipeline that shows clips in another way.

    Args:
        pipeline (Sequence[dict]): Samples frames, then decodes them.
        variant (str): ``'normal'``, ``'single frame'`` or ``'shuffled'``.
        frame (str | int): The single frame. Defaults to ``'middle'``.
        seed (int): Of random frames and orders. Defaults to 0.

    Returns:
        List[dict]: The steps; frames are chosen or shuffled right after the
        sampling, so that of a single frame only it is decoded.
    """
    steps = list(pipeline)
    decode = [i for i, s in enumerate(steps) if s['type'].endswith('Decode')]
    sampling = sampling_index(steps)
    if not decode or decode[0] < sampling:
        raise ValueError(
            'The test pipeline does not decode frames after it samples them: '
            f'{[s["type"] for s in steps]}. Give a config that tests videos.'
        )
    if variant == SHUFFLED:
        steps.insert(sampling + 1, dict(type='ShuffleFrames', seed=seed))
    elif variant == SINGLE:
        steps.insert(decode[0] + 1, dict(type='RepeatFrame'))
        freeze = dict(type='FreezeFrame', index=frame, seed=seed)
        steps.insert(sampling + 1, freeze)
    return steps


def _names(
    labels: Tensor,
    predicted: Dict[str, Tensor],
    classes: Optional[Sequence[str]],
) -> List[str]:
    """Name every class that is a label or a prediction."""
    number = 1 + int(torch.stack([labels, *predicted.values()]).max())
    if classes is None:
        return [str(i) for i in range(number)]
    if len(classes) < number:
        raise ValueError(
            f'There are {len(classes)} names of classes, but a class '
            f'{number - 1}; give one name per class.'
        )
    return list(classes)


def describe(result: Dependency, most: int = 5) -> str:
    """Return the figures as a table, and the classes that need time most.

    Args:
        result (Dependency): What was measured.
        most (int): How many classes to name. Defaults to 5.

    Returns:
        str: Lines of text.
    """
    rows = [['', 'top-1', 'drop', 'mean class']]
    normal = result.top1(NORMAL)
    for variant in VARIANTS:
        top1 = result.top1(variant)
        drop = '' if variant == NORMAL else f'{100 * (normal - top1):.1f}'
        mean = result.mean_class(variant)
        rows.append([variant, f'{top1:.1%}', drop, f'{mean:.1%}'])
    lines = [text_table(rows)]
    for variant in VARIANTS[1:]:
        drop = result.drop(variant)
        order = _by_drop(drop)[:most]
        named = [
            f'{result.classes[i]} ({100 * drop[i].item():+.1f})' for i in order
        ]
        lines.append(f'lose most, {variant}: {", ".join(named)}')
    return '\n'.join(lines)


def _by_drop(drop: Tensor) -> List[int]:
    """Order the classes that have clips by what they lose, most first."""
    order = drop.nan_to_num(-2).argsort(descending=True, stable=True)
    return [i for i in order.tolist() if not drop[i].isnan()]


def save_dependency(
    result: Dependency, folder: Union[str, Path]
) -> List[Path]:
    """Write the figures as JSON and the drop per class as a picture.

    Args:
        result (Dependency): What was measured.
        folder (str | Path): Made if it is not there.

    Returns:
        List[Path]: The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f'temporal_dependency.{end}' for end in ('json', 'png')]
    paths[0].write_text(json.dumps(result.figures(), indent=2) + '\n')
    _plot(result, paths[1])
    return paths


def _plot(result: Dependency, path: Path) -> None:
    """Draw a bar per class and variant, the largest drop on top."""
    import matplotlib

    matplotlib.use('Agg')  # there may be no screen
    from matplotlib import pyplot

    order = _by_drop(result.drop(SINGLE) + result.drop(SHUFFLED))
    if len(order) > MOST_BARS:  # those that need time most and least
        order = order[: MOST_BARS // 2] + order[-MOST_BARS // 2 :]
    figure, axes = pyplot.subplots(figsize=(7, 1 + 0.3 * len(order)))
    for offset, variant in ((-0.2, SINGLE), (0.2, SHUFFLED)):
        places = [y + offset for y in range(len(order))]
        drop = 100 * result.drop(variant)[order]
        axes.barh(places, drop.tolist(), height=0.4, label=variant)
    axes.set_yticks(range(len(order)), [result.classes[i] for i in order])
    axes.invert_yaxis()
    axes.axvline(0, color='black', linewidth=0.8)
    axes.set_xlabel('points of accuracy lost')
    axes.legend()
    figure.savefig(path, dpi=80, bbox_inches='tight')
    pyplot.close(figure)
