"""Turn videos into images: python tools/extract_frames.py LIST OUT.

Writes frames of all videos of a list as JPEG, and OUT/images.txt, the list
that the image stage of a pretraining reads (ImageListDataset).
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path

from mmvidadapt.apis.data.frame_images import write_images
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write frames of videos as images, and a list of them'
    )
    parser.add_argument('listing', type=Path, metavar='LIST', help='of videos')
    parser.add_argument('out', type=Path, metavar='OUT', help='for the images')
    parser.add_argument(
        '--root',
        type=Path,
        help='what the paths are relative to; by default the folder of LIST',
    )
    parser.add_argument(
        '--every', type=int, default=1, help='take one of so many frames'
    )
    return parser.parse_args()


def main() -> None:
    """Extract as the command line says."""
    args = parse_args()
    listing, number = write_images(
        args.listing, args.out, args.root, args.every
    )
    say(f'{listing}: {number} images')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
