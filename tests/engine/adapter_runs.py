"""Runs that write adapter files, and what they leave behind."""

import torch
from mmengine.runner import Runner

from mmvidadapt.engine.adapters import load_adapter
from mmvidadapt.weights.adapter_file import SUFFIX
from tests import runs


def recipe(listing, tmp_path, trunk, **changes):
    config = runs.recipe(
        listing,
        tmp_path / 'work',
        model__backbone__pretrained=trunk,
        **changes,
    )
    config.custom_hooks.append(dict(type='AdapterCheckpointHook'))
    return config


def run(config):
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def stems(folder, suffix):
    return sorted(
        p.name[: -len(suffix)] for p in folder.iterdir() if suffix in p.name
    )


def check_pairs(folder):
    """Every checkpoint has its adapter, which gives the same model."""
    names = stems(folder, '.pth')
    assert stems(folder, SUFFIX) == names
    for name in names:
        saved = torch.load(folder / f'{name}.pth', weights_only=False)
        found = load_adapter(str(folder / f'{name}{SUFFIX}')).state_dict()
        assert list(found) == list(saved['state_dict'])
        for key, value in found.items():
            assert torch.equal(value, saved['state_dict'][key]), (name, key)
    return names
