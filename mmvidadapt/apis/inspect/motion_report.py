"""Test a recognizer on plain, shuffled and reversed motion clips."""

import copy
import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import torch
from mmaction.apis import init_recognizer
from mmaction.evaluation import ConfusionMatrix
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import DataLoader

from mmvidadapt.datasets.motion_scenes import MOTIONS, partner
from mmvidadapt.utils.text_table import text_table

from ..use.inference import auto_device, load_strictly

ORDERS = {
    'plain': None,
    'shuffled': dict(type='ShuffleFrames', seed=0),
    'reversed': dict(type='ReverseFrames'),
}


class MotionReport(NamedTuple):
    """Figures from 0 to 1, and what was predicted of the plain clips."""

    accuracy: Dict[str, float]  # by the order of frames
    within_pair: float  # of the plain clips whose pair is right; or nan
    flipped: float  # reversed clips that get the partner's label
    confusion: Tensor  # (classes, classes): truth, prediction

    def figures(self) -> Dict[str, float]:
        """Return the figures under the names they are stored by."""
        return dict(
            **{f'{order}_top1': top1 for order, top1 in self.accuracy.items()},
            within_pair=self.within_pair,
            reversed_as_partner=self.flipped,
        )


def report_motions(
    config: Config, checkpoint: str, device: Optional[str] = None
) -> MotionReport:
    """Test a recognizer on plain, shuffled and time-reversed clips.

    Args:
        config (Config): Config whose ``test_dataloader`` lists clips of the
            motions of :mod:`mmvidadapt.datasets.motion_scenes`.
        checkpoint (str): Path or URL of a checkpoint that fits the config.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.

    Returns:
        MotionReport: What was measured.
    """
    model = init_recognizer(config, device=device or auto_device())
    load_strictly(model, checkpoint)
    predicted = {}
    for order in ORDERS:
        labels, predicted[order] = predict(model, config, order)
    return summarize(labels, predicted)


def predict(
    model: torch.nn.Module, config: Config, order: str
) -> List[Tensor]:
    """Return labels and predictions of the test clips, each (clips,)."""
    pipeline = config.test_dataloader.dataset.pipeline
    return predict_through(model, config, reordered(pipeline, order))


def predict_through(
    model: torch.nn.Module,
    config: Config,
    pipeline: Sequence[dict],
    num_workers: int = 0,
) -> List[Tensor]:
    """Return labels and predictions of the test clips, each (clips,).

    Args:
        model (torch.nn.Module): A recognizer with its weights.
        config (Config): Config whose ``test_dataloader`` lists the clips.
        pipeline (Sequence[dict]): Takes the place of the test pipeline.
        num_workers (int): Processes that decode. Defaults to 0.

    Returns:
        List[Tensor]: Labels and predictions.
    """
    loader = copy.deepcopy(config.test_dataloader)
    loader.dataset.pipeline = pipeline
    clips = DataLoader(
        DATASETS.build(loader.dataset),
        loader.get('batch_size', 1),
        num_workers=num_workers,
        collate_fn=pseudo_collate,
    )
    results = []
    with torch.no_grad():
        for batch in clips:
            for sample in model.test_step(batch):
                best = sample.pred_score.argmax().item()
                results.append((sample.gt_label.item(), best))
    return list(torch.tensor(results).T)


def reordered(pipeline: Sequence[dict], order: str) -> List[dict]:
    """Return a pipeline that reorders the frames once they are decoded."""
    steps, extra = list(pipeline), ORDERS[order]
    decode = [i for i, s in enumerate(steps) if s['type'].endswith('Decode')]
    if not decode:
        raise ValueError(
            'The test pipeline decodes no video: it has no step such as '
            "dict(type='DecordDecode')."
        )
    if extra is not None:
        steps.insert(decode[0] + 1, dict(extra))
    return steps


def summarize(labels: Tensor, predicted: Dict[str, Tensor]) -> MotionReport:
    """Compute the figures from labels and predictions, each (clips,)."""
    classes = len(MOTIONS)
    seen = torch.stack([labels, *predicted.values()])
    if seen.min() < 0 or seen.max() >= classes:
        raise ValueError(
            f'There is a class {seen.max().item()}, but only {classes} '
            f'motions: {MOTIONS}. Give the config of a motion recognizer.'
        )
    plain = predicted['plain']
    right_pair = (plain == labels) | (plain == partner(labels))
    within = (plain == labels)[right_pair].double().mean().item()
    return MotionReport(
        {
            o: (p == labels).double().mean().item()
            for o, p in predicted.items()
        },
        within,
        (predicted['reversed'] == partner(labels)).double().mean().item(),
        ConfusionMatrix.calculate(plain, labels, num_classes=classes),
    )


def describe(report: MotionReport) -> str:
    """Return the figures as a table and what they mean as a sentence."""
    rows = {
        **{f'{order} frames': top1 for order, top1 in report.accuracy.items()},
        'within the right pair': report.within_pair,
        "reversed, partner's label": report.flipped,
    }
    table = text_table([[k, f'{value:.1%}'] for k, value in rows.items()])
    share = f'{report.flipped:.0%} of the clips'
    if report.flipped > 0.5 and report.within_pair > 0.65:
        meaning = (
            f'The model sees motion: played backwards, {share} are taken for '
            'the opposite motion, while a model blind to the order of frames '
            'would guess between the two.'
        )
    else:
        meaning = (
            'The model is (nearly) blind to the order of frames: within a '
            f'pair it is right in {report.within_pair:.0%}, where guessing '
            f'gives 50%, and played backwards only {share} are taken for the '
            'opposite motion.'
        )
    return f'{table}\n\n{meaning}'


def save_report(report: MotionReport, folder: Union[str, Path]) -> List[Path]:
    """Write the figures as JSON and the confusion matrix as a picture."""
    import matplotlib

    matplotlib.use('Agg')  # there may be no screen
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / 'motion_report.json', folder / 'confusion_matrix.png']
    paths[0].write_text(json.dumps(report.figures(), indent=2) + '\n')
    figure = ConfusionMatrix.plot(
        report.confusion,
        include_values=True,
        classes=list(MOTIONS),
        cmap='Blues',
        colorbar=False,
        show=False,
    )
    figure.axes[0].tick_params(axis='x', rotation=40)
    figure.savefig(paths[1], dpi=80, bbox_inches='tight')
    return paths
