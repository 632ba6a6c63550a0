"""Fit a tokenizer: python tools/fit_tokenizer.py FOLDER... --out OUT.pth.

k-means on 8x8 patches of the images and videos of the folders, or on the
features of an encoder:
    python tools/fit_tokenizer.py clips/ --out tokens.pth --vocab-size 2048 \
        --encoder type=TinyEncoder pretrained=taesd_encoder.pth --dims 4
Prints what is left of the pictures and the config to train with.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.data.fit_tokenizer import fit, pictures_of
from mmvidadapt.methods.bevt.tokenizers import KMeansTokenizer
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Fit a k-means tokenizer')
    parser.add_argument('folders', nargs='+', help='with images or videos')
    parser.add_argument('--out', type=Path, required=True, help='file *.pth')
    parser.add_argument(
        '--config',
        help='take the tokenizer of a config in place of the options below',
    )
    parser.add_argument('--vocab-size', type=int, default=2048)
    parser.add_argument('--input-size', type=int, default=112)
    parser.add_argument('--patch-size', type=int, default=8)
    for part in ('encoder', 'decoder'):
        parser.add_argument(
            f'--{part}', nargs='+', action=DictAction, help='type=... ...'
        )
    parser.add_argument('--dims', type=int, help="the features' channels")
    parser.add_argument(
        '--pictures', type=int, default=1000, help='random crops at most'
    )
    parser.add_argument('--max-rows', type=int, default=200_000)
    parser.add_argument('--iterations', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def describe(args: argparse.Namespace) -> dict:
    """Return the config of the tokenizer, without centres."""
    if args.config is None:
        options = vars(args)
        names = ('encoder', 'decoder', 'dims')
        return dict(
            type='KMeansTokenizer',
            vocab_size=args.vocab_size,
            input_size=args.input_size,
            patch_size=args.patch_size,
            **{n: options[n] for n in names if options[n] is not None},
        )
    config = load_config(args.config)
    found = config.model.get('tokenizer')
    if found is None:
        raise ValueError(f'The model of {args.config} has no `tokenizer`.')
    return dict(found.to_dict(), pretrained=None)


def main() -> None:
    """Fit as the command line says."""
    args = parse_args()
    init_default_scope('mmaction')
    config = describe(args)
    tokenizer = MODELS.build(config).to(args.device)
    if not isinstance(tokenizer, KMeansTokenizer):
        raise ValueError(
            f'{config["type"]} is not fitted by this tool; give the config of '
            'a KMeansTokenizer.'
        )
    pictures = pictures_of(
        args.folders, args.pictures, tokenizer.input_size, args.seed
    )
    report = fit(
        tokenizer, pictures, args.max_rows, args.iterations, args.seed
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    centres = dict(centres=tokenizer.centres.cpu())
    torch.save(dict(state_dict=centres, meta=report._asdict()), args.out)
    say(report)
    say(f'tokenizer = {dict(config, pretrained=str(args.out))}')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
