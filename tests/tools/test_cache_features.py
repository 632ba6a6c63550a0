"""The tool asks, caches and writes a config that trains from the cache."""

import re
import runpy
import sys

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis.feature_cache import ask
from mmvidadapt.datasets.feature_cache import DONE
from tests.apis.test_feature_cache import batch_of, config, folder  # noqa: F401
from tests.golden import ROOT


def test_nobody_there_means_no(monkeypatch):
    for answer, meant in (('y', True), ('Yes ', True), ('', False)):
        monkeypatch.setattr('builtins.input', lambda _, said=answer: said)
        assert ask('Start?') == meant

    def closed(_):
        raise EOFError

    monkeypatch.setattr('builtins.input', closed)
    assert not ask('Start?')


def test_the_tool_asks_caches_and_writes_a_config(
    folder,  # noqa: F811
    tmp_path,
    monkeypatch,
    capsys,
):
    cfg = config(folder)
    torch.manual_seed(0)
    weights = MODELS.build(cfg.model).state_dict()
    torch.save(weights, tmp_path / 'model.pth')
    cfg.dump(tmp_path / 'evl.py')

    def run(*extra):
        arguments = [str(tmp_path / 'evl.py'), str(tmp_path / 'cache'), *extra]
        arguments += ['--checkpoint', str(tmp_path / 'model.pth')]
        arguments += ['--num-workers', '0']
        monkeypatch.setattr(sys, 'argv', ['cache_features.py', *arguments])
        tool = ROOT / 'tools' / 'cache_features.py'
        runpy.run_path(str(tool), run_name='__main__')

    monkeypatch.setattr('builtins.input', lambda _: 'n')
    with pytest.raises(SystemExit, match='Not started'):
        run()
    assert not (tmp_path / 'cache').exists()
    run('--yes')
    printed = capsys.readouterr().out
    assert re.search(r'test: 5 videos x 3 views, \d+\.\d+ GiB', printed)
    assert np.load(tmp_path / 'cache' / 'test' / DONE).all()
    source = Config.fromfile(tmp_path / 'cache' / 'config.py')
    model = MODELS.build(source.model).eval()
    model.load_state_dict(weights)
    for split in ('train', 'test'):
        scores = model.test_step(batch_of(source, split, [4]))[0].pred_score
        assert scores.sum().item() == pytest.approx(1, abs=1e-5)
