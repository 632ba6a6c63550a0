"""Reports of real runs on rendered clips, from the command line, too."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

from mmvidadapt.apis.report.measure_run import RunReporter
from mmvidadapt.apis.report.tested_clips import (
    ORDERS,
    build_dataset,
    decoded_frames,
)
from mmvidadapt.datasets.motion_scenes import MOTIONS
from tests.apis.test_motion_report import checkpoint, config, root
from tests.tools.processes import call

__all__ = ['checkpoint', 'config', 'root']


def checked(root, tmp_path):
    """A list whose second clip is damaged, with a record beside it."""
    cfg = config(root, blind=False)
    lines = (root / 'motion_val.txt').read_text().splitlines()[:6]
    lines[1] = 'videos/none.mp4 1'
    listed = tmp_path / 'test.txt'
    listed.write_text('\n'.join(lines))
    record = dict(rejected=[dict(path='b.mp4', reason='of one frame')])
    (tmp_path / 'report.json').write_text(json.dumps(record))
    dataset = cfg.test_dataloader.dataset
    dataset.update(type='CheckedVideoDataset', ann_file=str(listed))
    dataset.pipeline[0] = dict(type='VideoInit', backend='auto')
    dataset.pipeline[2] = dict(type='VideoDecode')
    return cfg


def test_the_tool_writes_a_page(
    root, checkpoint, tmp_path, monkeypatch, capsys
):
    cfg = config(root, blind=False)
    cfg.dump(tmp_path / 'model.py')
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(MOTIONS))
    args = (tmp_path / 'model.py', checkpoint(cfg), tmp_path / 'out')
    args += ('--labels', names, '--device', 'cpu', '--looked', '6')
    args += ('--group-pattern', r'val_(\d+)', '--title', 'Ten <motions>')
    call(monkeypatch, 'report.py', *args)
    page = (tmp_path / 'out' / 'report.html').read_text()
    said = capsys.readouterr().out
    share = float(re.search(r'([\d.]+)% of 20 clips', said).group(1))
    assert f'class="huge">{share:.1f} %<' in page
    assert '<h1>Ten &lt;motions&gt;</h1>' in page
    assert 'groups never seen (10 groups)' in page
    assert 'anticlockwise' in page and 'python tools/report.py' in page
    for order in ORDERS:
        assert f'>{order}<' in page
    assert 'id="looked"' in page and '112 × 112' not in page


def test_orders_are_other_predictions(root, checkpoint):
    cfg = config(root, blind=True)
    reporter = RunReporter(cfg, checkpoint(cfg), device='cpu')
    report = reporter.collect(most_looked=0, groups=None)
    assert set(report.orders) == set(ORDERS) and not report.looked
    for order in ('shuffled', 'reversed'):  # blind: the same but rounding
        assert np.allclose(report.orders[order], report.scores, atol=1e-5)
    assert not np.allclose(report.orders['single frame'], report.scores)
    assert report.classes == [str(i) for i in range(10)]
    assert len(reporter.reader()(3)) == 8
    facts = next(iter(report.facts.values()))
    assert facts == (16, 32, 32)


def test_unreadable_clips_count_as_wrong_and_are_named(
    root, checkpoint, tmp_path
):
    cfg = checked(root, tmp_path)
    reporter = RunReporter(cfg, checkpoint(cfg), device='cpu')
    report = reporter.collect(('reversed',), most_looked=12)
    assert len(report.clips) == 6 and not report.right[1]
    (path, reason), rejected = report.left_out
    assert path.endswith('none.mp4') and 'counts as wrong' in reason
    assert rejected == ('b.mp4', 'of one frame')
    assert report.looked and 1 not in [x.clip for x in report.looked]
    assert len(report.facts) == 5


def test_a_report_is_of_one_task(root, checkpoint, tmp_path):
    """Of the labels of verb and noun, which are partly unknown, the verbs."""
    cfg = config(root, blind=False)
    cfg.model.cls_head = dict(
        type='MultiTaskVideoHead',
        num_classes=dict(verb=3, noun=4),
        in_channels=32,
    )
    listed = tmp_path / 'tasks.txt'
    names = (root / 'motion_val.txt').read_text().split()[::2]
    lines = [f'{name} {i % 3} {i % 4}' for i, name in enumerate(names[:6])]
    lines[2] = f'{names[2]} -1 1'
    listed.write_text('\n'.join(lines))
    cfg.test_dataloader.dataset.update(
        type='CheckedVideoDataset',
        ann_file=str(listed),
        tasks=('verb', 'noun'),
    )
    path = checkpoint_of(cfg, tmp_path)
    words = [f'noun {i}' for i in range(4)] + ['put', 'take', 'open']
    reporter = RunReporter(cfg, path, words, 'cpu', task='verb')
    report = reporter.collect(('shuffled',), most_looked=4)
    assert report.classes == ['put', 'take', 'open']
    assert report.labels.tolist() == [0, 1, 0, 1, 2]
    assert [Path(c.path).name for c in report.clips] == [
        Path(name).name for i, name in enumerate(names[:6]) if i != 2
    ]
    nouns = RunReporter(cfg, path, device='cpu', task='noun').predict()
    assert nouns.scores.shape == (6, 4)
    assert np.allclose(nouns.scores.sum(1), 1)
    assert np.allclose(report.scores.sum(1), 1)
    wanted = decoded_frames(build_dataset(cfg), 3)  # the third with a verb
    assert np.array_equal(reporter.reader()(2)[5], wanted[5])
    with pytest.raises(ValueError, match="task=None.*'noun', 'verb'"):
        RunReporter(cfg, path, device='cpu')


def checkpoint_of(cfg, folder):
    """Save a random recognizer with several heads."""
    model = MODELS.build(cfg.model)
    torch.save(dict(state_dict=model.state_dict()), folder / 'tasks.pth')
    return str(folder / 'tasks.pth')


def test_bad_input_is_named(root, checkpoint):
    cfg = config(root, blind=True)
    path = checkpoint(cfg)
    with pytest.raises(ValueError, match='2 names of classes.* 10 classes'):
        RunReporter(cfg, path, ['a', 'b'], 'cpu').collect()
    with pytest.raises(ValueError, match="'nothing' matches nothing in 20"):
        reporter = RunReporter(cfg, path, device='cpu')
        reporter.collect((), 'nothing', 0)
    with pytest.raises(ValueError, match="task='verb'.*a single one"):
        RunReporter(cfg, path, device='cpu', task='verb')
    cfg.test_dataloader.dataset.multi_class = True
    with pytest.raises(ValueError, match='several labels'):
        RunReporter(cfg, path, device='cpu')
    cfg.pop('test_dataloader')
    with pytest.raises(ValueError, match='no `test_dataloader`'):
        RunReporter(cfg, path, device='cpu')
