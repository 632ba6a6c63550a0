"""Measure a training step: python tools/benchmark/step.py CONFIG.

Against the plain re-statement of the method, on one thread of the CPU:
    python tools/benchmark/step.py aim/vitb16_k400 --against plain --threads 1
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import json
import platform
import time
from pathlib import Path
from typing import List, Optional

import torch
from mmengine.config import DictAction

from mmvidadapt.apis.benchmark.compare import compare
from mmvidadapt.apis.benchmark.step import AMP_DTYPES, Settings
from mmvidadapt.apis.benchmark.compared_models import (
    PLAIN,
    Contender,
    contender,
    variants,
)
from mmvidadapt.apis.benchmark.methods import METHODS, all_methods
from mmvidadapt.apis.train.options import TRUNK_HELP

WITH_CP = {'false': False, 'mlp': 'mlp', 'true': True}
HEADER = (
    '',
    'forward ms (min)',
    'ratio',
    'CPU ms',
    'ratio',
    'step ms (min)',
    'ratio',
    'CPU ms',
    'ratio',
    'saved MiB',
    'peak MiB',
    'GMACs',
    'params M',
    'trained M',
    'differs by',
)
NOTE = """
Forward: features of the backbone without gradients. Step: loss of the
recognizer, head included, and all gradients; no optimizer, no data. Dropout
and drop path are off. Times are medians of {repeats} runs in turns, ratios
are to the first row, CPU time is per thread. Saved: what autograd keeps for
the backward pass, parameters excluded. Peak: {peak}.
Differs by: features / gradients from the first row, relative to the largest
value of each tensor; "-" where the weights are not the same."""
PEAKS = dict(
    cpu='resident memory of a\nfresh process, Python and libraries included',
    cuda='what torch allocates in\na step, weights included',
)


def add_contenders(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is measured."""
    parser.add_argument(
        'config', nargs='?', help='path, or name such as aim/vitb16_k400'
    )
    parser.add_argument(
        '--methods',
        nargs='*',
        choices=list(METHODS),
        metavar='METHOD',
        help='in place of a config: these methods, or all, on one frozen '
        f'ViT-B/16, 8 frames: {", ".join(map(repr, METHODS))}',
    )
    parser.add_argument(
        '--against',
        nargs='+',
        default=[],
        help="'plain' (the equations, lean=False) and other "
        'configs; they come first, and ratios are to the first row',
    )
    parser.add_argument(
        '--with-cp',
        nargs='+',
        choices=WITH_CP,
        default=[],
        help='measure the config with each of these values of with_cp',
    )
    parser.add_argument(
        '--blas',
        action='store_true',
        help='measure the config also without the products of oneDNN '
        '(float32 on a CPU)',
    )
    parser.add_argument(
        '--trunk',
        nargs='+',
        default=[None],
        help=f'{TRUNK_HELP}; of every config, one trunk after the other',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override entries of every config, such as '
        'model.backbone.num_frames=16',
    )


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Time, memory and operations of a training step'
    )
    add_contenders(parser)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument('--amp', choices=AMP_DTYPES, help='autocast')
    parser.add_argument('--threads', type=int, help='threads on the CPU')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--json', type=Path, help='write the figures here')
    args = parser.parse_args()
    if (args.config is None) == (args.methods is None):
        parser.error('give a config or --methods, one of them')
    for name in ('batch_size', 'threads', 'repeats'):
        value = getattr(args, name)
        if value is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} {value}: give 1 or more')
    return args


def contenders(args: argparse.Namespace) -> List[Contender]:
    """List what the command line asks for."""
    if args.methods is not None:
        wanted = args.methods or list(METHODS)
        given = [
            all_methods(trunk, args.batch_size, wanted) for trunk in args.trunk
        ]
        return [row for rows in given for row in rows]

    def read(name: str, trunk: Optional[str]) -> Contender:
        return contender(name, args.cfg_options, args.batch_size, trunk)

    return [
        row
        for trunk in args.trunk
        for row in variants(
            read(args.config, trunk),
            with_cp=[WITH_CP[value] for value in args.with_cp],
            against=[read(n, trunk) for n in args.against if n != PLAIN],
            plain=PLAIN in args.against,
            blas=args.blas,
        )
    ]


def describe(args: argparse.Namespace) -> dict:
    """Describe where and how the figures came about."""
    cuda = args.device == 'cuda'
    return dict(
        date=time.strftime('%Y-%m-%d'),
        device=torch.cuda.get_device_name() if cuda else cpu_name(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        precision=args.amp or 'fp32',
        repeats=args.repeats,
    )


def cpu_name() -> str:
    """Name the processor."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [
        line.split(':')[1].strip()
        for line in lines
        if line.startswith('model name')
    ]
    return names[0] if names else platform.processor() or platform.machine()


def table(results: List[dict]) -> str:
    """Lay the results out as a Markdown table."""
    rows = [HEADER, *map(row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *rest = widths
    rows.insert(1, ['-' * first] + ['-' * (w - 1) + ':' for w in rest])
    lines = []
    for name, *cells in rows:
        padded = [name.ljust(first), *map(str.rjust, cells, rest)]
        lines.append(f'| {" | ".join(padded)} |')
    return '\n'.join(lines)


def row(result: dict) -> List[str]:
    """Write one result as the cells of a row."""
    cells = [result['name']]
    for key in ('forward', 'step'):
        times = result[key]
        cells += [
            f'{times["median_ms"]:.1f} ({times["min_ms"]:.1f})',
            f'{times["ratio"]:.3f}',
        ]
        if times['cpu_ms'] is None:
            cells += ['-', '-']
        else:
            cells += [f'{times["cpu_ms"]:.1f}', f'{times["cpu_ratio"]:.3f}']
    known = result['features'] is not None
    return cells + [
        f'{result["saved_mib"]:.1f}',
        f'{result["peak_mib"]:.0f}',
        f'{result["gmacs"]:.1f}',
        f'{result["params"] / 1e6:.2f}',
        f'{result["trained"] / 1e6:.2f}',
        f'{result["features"]:.0e} / {result["gradients"]:.0e}'
        if known
        else '-',
    ]


def main() -> None:
    """Measure, print and write."""
    args = parse_args()
    settings = Settings(
        args.device, args.amp, args.threads, args.repeats, args.seed
    )
    results = compare(contenders(args), settings)
    where = describe(args)
    shapes = {result['shape'] for result in results}
    print(
        ', '.join(f'{key} {value}' for key, value in where.items())
        + f'; clips {" and ".join(map(str, sorted(shapes)))}'
    )
    print(table(results))
    print(NOTE.format(repeats=args.repeats, peak=PEAKS[args.device]))
    if args.json:
        args.json.write_text(
            json.dumps(dict(where, results=results), indent=2) + '\n'
        )


if __name__ == '__main__':
    main()
