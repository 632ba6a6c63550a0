"""Measure what adapters on one trunk hold in memory, numbers drawn at random.

python tools/benchmark/adapters.py aim/vitb16_k400 --adapters 10
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import copy
import gc
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmvidadapt.apis import MultiAdapter
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.engine.adapters import make_adapter, split_names
from mmvidadapt.weights.fit import matches

MEGA = 1e6


def resident() -> float:
    """Return the megabytes that this process has in memory, as Linux says."""
    gc.collect()
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * 4096 / MEGA


def write(name: str, number: int, folder: Path) -> List[str]:
    """Write a random trunk and adapters of it."""
    config = load_config(name)
    init_default_scope(config.get('default_scope', 'mmaction'))
    config.model.backbone.pretrained = None
    model = MODELS.build(config.model)
    own, _ = names = split_names(model)
    state, trunk = model.state_dict(), str(folder / 'trunk.pth')
    image = {
        name: value
        for name, value in model.backbone.named_parameters()
        if not matches(name, model.backbone.new)
    }
    torch.save(image, trunk)
    described = copy.deepcopy(config.to_dict())
    described['model']['backbone']['pretrained'] = trunk
    paths = [str(folder / f'{i}.adapter.safetensors') for i in range(number)]
    for path in paths:
        for tensor in (state[n] for n in own):
            if tensor.is_floating_point():
                tensor.uniform_(-0.1, 0.1)
        make_adapter(names, state, described).write(path)
    return paths


def measure(paths: List[str]) -> float:
    """Load adapters in a fresh process; return the megabytes they take."""
    words = [sys.executable, '-W', 'ignore', __file__, '--load', *paths]
    said = subprocess.run(words, check=True, text=True, capture_output=True)
    return float(said.stdout.split()[-1])


def main() -> None:
    """Compare one adapter on its trunk with several."""
    parser = argparse.ArgumentParser(description=__doc__.split(',')[0])
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument('--adapters', type=int, default=10, help='how many')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write(args.config, args.adapters, Path(folder))
        print(
            f'resident: {measure(paths[:1]):.0f} MB with one adapter, '
            f'{measure(paths):.0f} MB with {len(paths)} on one trunk'
        )


if __name__ == '__main__':
    if sys.argv[1:2] == ['--load']:
        before = resident()
        multi = MultiAdapter(sys.argv[2:])
        print(resident() - before)
    else:
        main()
