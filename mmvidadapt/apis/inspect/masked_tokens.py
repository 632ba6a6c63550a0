"""Measure the entropy of the tokens that a pretraining predicts."""

from typing import List, NamedTuple, Optional

import torch
import torch.nn.functional as F
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.engine.seed import seed_everything

from ..data.fit_tokenizer import unigram_entropy
from ..data.precompute_tokens import loaders_of
from ..use.inference import auto_device, load_strictly


class MaskedTokens(NamedTuple):
    """The masked tokens of one stream."""

    stream: str
    samples: int
    tokens: int
    used: int  # different ones
    entropy: float  # in nats: what knowing their counts gives
    loss: Optional[float]  # of a checkpoint on the same tokens

    def __str__(self) -> str:
        """Format as one line."""
        loss = '' if self.loss is None else f', loss {self.loss:.3f} nats'
        return (
            f'{self.stream}: {self.tokens} masked tokens of {self.samples} '
            f'samples, {self.used} different ones, unigram entropy '
            f'{self.entropy:.3f} nats{loss}'
        )


@torch.no_grad()
def measure_tokens(
    config: Config,
    checkpoint: Optional[str] = None,
    samples: int = 200,
    seed: int = 0,
    device: Optional[str] = None,
) -> List[MaskedTokens]:
    """Count the targets of a pretraining, as its pipelines draw them.

    A model that knows nothing but how frequent each token is has their
    entropy for its loss; one that sees the rest of the picture has less.

    Args:
        config (Config): A pretraining config.
        checkpoint (str, optional): Path or URL; its loss is computed on the
            same targets. Defaults to None: no loss.
        samples (int): Clips or images of each stream at most, spread over
            the data set. Defaults to 200.
        seed (int): Of crops and masks. Defaults to 0.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.

    Returns:
        List[MaskedTokens]: One entry for each loader.
    """
    if samples < 1:
        raise ValueError(f'samples={samples}: give 1 or more.')
    model = _build_model(config)
    if checkpoint is not None:
        load_strictly(model, checkpoint)
    model.to(device or auto_device()).eval()
    found = []
    for loader in loaders_of(config).values():
        dataset = DATASETS.build(loader['dataset'])
        found.append(
            _measure(model, dataset, samples, seed, checkpoint is not None)
        )
    return found


def _build_model(config: Config) -> nn.Module:
    """Build a pretraining model, without its pretrained weights."""
    init_default_scope(config.get('default_scope', 'mmaction'))
    config.model.backbone.pretrained = None
    model = MODELS.build(config.model)
    if not hasattr(model, 'targets'):
        raise ValueError(
            f'{type(model).__name__} predicts no tokens; give the config of '
            'a pretraining.'
        )
    return model


def _measure(
    model: torch.nn.Module,
    dataset: torch.utils.data.Dataset,
    samples: int,
    seed: int,
    compare: bool,
) -> MaskedTokens:
    """Count the tokens of one loader and add up the losses."""
    number = min(samples, len(dataset))
    counts, loss = torch.zeros(model.cls_head.num_classes), 0.0
    for i in range(number):
        seed_everything(seed, i)
        item = dataset[i * len(dataset) // number]
        batch = model.data_preprocessor(pseudo_collate([item]))
        stream, x, mask, ids = model.read(batch)
        counts += torch.bincount(ids, minlength=len(counts)).cpu()
        if compare:
            scores = model.cls_head(model.backbone(x, mask))
            loss += F.cross_entropy(scores, ids, reduction='sum').item()
    tokens = int(counts.sum())
    if not tokens:
        raise ValueError(
            f'No token of {number} samples of the {stream} stream is masked; '
            'raise the number of masked tokens of its mask transform.'
        )
    return MaskedTokens(
        stream,
        number,
        tokens,
        int(counts.count_nonzero()),
        unigram_entropy(counts),
        loss / tokens if compare else None,
    )
