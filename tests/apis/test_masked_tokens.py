"""Entropy and loss of what is masked, counted again by hand."""

import pytest
import torch
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform

from mmvidadapt.apis.data.precompute_tokens import loaders_of
from mmvidadapt.apis.inspect.masked_tokens import measure_tokens
from mmvidadapt.engine.seed import seed_everything
from tests.apis.test_masked_clip import build, cfg
from tests.apis.test_precompute_tokens import images
from tests.tools.processes import call

__all__ = ['build', 'cfg', 'images']


@TRANSFORMS.register_module()
class NoMask(BaseTransform):
    """Hide nothing of a clip."""

    def transform(self, results):
        results['mask'] = torch.zeros(4, 8, 8, dtype=torch.bool)
        return results


def drawn(config, name, samples, seed):
    """Draw as the tool does, every second sample of the data set."""
    dataset = DATASETS.build(loaders_of(config)[name]['dataset'])
    step = len(dataset) // samples
    for i in range(samples):
        seed_everything(seed, i)
        yield dataset[step * i]


def masked_ids(config, name, samples, seed):
    """Tokenize whole pictures and keep the masked ones."""
    tokenizer, found = MODELS.build(config.model.tokenizer), []
    for item in drawn(config, name, samples, seed):
        sample = item['data_samples']
        span = 2 if name == 'train' else 1
        mask = sample.mask.view(-1, 8, 8).repeat_interleave(span, 0)
        found.append(tokenizer.tokenize(sample.view)[mask])
    return torch.cat(found)


@pytest.mark.parametrize('name', ['train', 'other0'])
def test_the_entropy_is_that_of_the_masked_tokens(cfg, name):
    number = len(DATASETS.build(loaders_of(cfg)[name]['dataset'])) // 2
    ids = masked_ids(cfg, name, number, seed=3)
    share = ids.unique(return_counts=True)[1].double() / len(ids)
    found = measure_tokens(cfg, samples=number, seed=3, device='cpu')
    found = {f.stream: f for f in found}
    found = found['video' if name == 'train' else 'image']
    assert found.entropy == pytest.approx(-(share * share.log()).sum().item())
    assert found.tokens == len(ids) and found.used == len(share)
    assert found.samples == number and found.loss is None


def test_the_loss_is_that_of_the_same_tokens(
    cfg, tmp_path, monkeypatch, capsys
):
    """A classifier that knows how frequent tokens are has the entropy."""
    model = build(cfg)
    ids = masked_ids(cfg, 'train', 4, seed=0)
    counts = torch.bincount(ids, minlength=model.cls_head.num_classes)
    model.cls_head.lm_head.weight.data.zero_()
    model.cls_head.lm_head.bias.data = (counts / len(ids)).clamp(1e-9).log()
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    cfg.train_cfg.other_loaders = []
    cfg.dump(tmp_path / 'config.py')
    (found,) = measure_tokens(cfg, str(path), samples=4, device='cpu')
    assert found.loss == pytest.approx(found.entropy, abs=1e-5)
    call(
        monkeypatch,
        'analysis/masked_tokens.py',
        tmp_path / 'config.py',
        path,
        *('--samples', 4, '--device', 'cpu'),
    )
    assert capsys.readouterr().out.strip() == (
        f'video: {len(ids)} masked tokens of 4 samples, '
        f'{int(counts.count_nonzero())} different ones, unigram entropy '
        f'{found.entropy:.3f} nats, loss {found.loss:.3f} nats'
    )


def test_bad_input_is_named(cfg):
    with pytest.raises(ValueError, match='samples=0: give 1'):
        measure_tokens(cfg, samples=0)
    pipeline = cfg.train_dataloader.dataset.pipeline
    (step,) = [s for s in pipeline if s['type'] == 'TubeMask']
    step.clear()
    step['type'] = 'NoMask'
    with pytest.raises(ValueError, match='of the video stream is masked'):
        measure_tokens(cfg, samples=1, device='cpu')
