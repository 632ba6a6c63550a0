"""Convert DALL-E's pickles: python tools/convert_dalle.py IN.pkl OUT.pth.

OpenAI publishes https://cdn.openai.com/dall-e/encoder.pkl (and decoder.pkl)
as modules pickled as a whole. Nothing but their tensors is unpickled, and
their own package is not needed; the result is a plain state dict.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

import torch

from mmvidadapt.utils.printable import fail, say
from mmvidadapt.methods.bevt.tokenizers.dalle_files import read_pickled_module


def main() -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description="Convert DALL-E's pickles")
    parser.add_argument('source', help='encoder.pkl or decoder.pkl')
    parser.add_argument('out', help='file of the state dict, *.pth')
    args = parser.parse_args()
    weights = read_pickled_module(args.source)
    torch.save(dict(state_dict=weights), args.out)
    numbers = sum(value.numel() for value in weights.values())
    say(f'{args.out}: {len(weights)} tensors, {numbers:,} numbers')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
