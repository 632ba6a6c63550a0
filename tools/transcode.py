"""Make videos cheap to load: python tools/transcode.py LIST... OUT.

Or a folder in the place of the lists. Every video is written again to OUT with
a short side of 256 and a key frame at least every 16 frames, on all cores, and
compared with the original; OUT also gets the lists with the new names. Needs
no ffmpeg, and uses it where it is installed. An interrupted run goes on.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import sys
from pathlib import Path
from typing import Iterator, Sequence, Tuple

from mmvidadapt.apis.data.transcode import (
    FAILED,
    Work,
    loading_speeds,
    plan,
    transcode_all,
    write_lists,
)
from mmvidadapt.datasets.prepare.annotation_lists import keep_sources
from mmvidadapt.datasets.prepare.transcode_source import Settings
from mmvidadapt.datasets.prepare.transcode import ENCODERS
from mmvidadapt.utils.process_iterator import ProcessDied, iterate_in_process
from mmvidadapt.utils.printable import fail, say
from mmvidadapt.utils.video import unreadable


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write videos again, so that they are cheap to load'
    )
    parser.add_argument(
        'sources',
        type=Path,
        nargs='+',
        metavar='LIST',
        help='annotation lists, or one folder of videos',
    )
    parser.add_argument('out', type=Path, metavar='OUT', help='new folder')
    parser.add_argument(
        '--root',
        type=Path,
        help='folder that the lists are relative to; default: their own',
    )
    usual = Settings()
    parser.add_argument('--short-side', type=int, default=usual.short_side)
    parser.add_argument(
        '--gop', type=int, default=usual.gop, help='frames per key frame'
    )
    parser.add_argument(
        '--crf', type=int, default=usual.crf, help='0 lossless, 51 worst'
    )
    parser.add_argument('--encoder', choices=ENCODERS, default=usual.encoder)
    parser.add_argument('--num-workers', type=int, help='default: all cores')
    return parser.parse_args()


def summarize(work: Work, total: int, out: Path) -> None:
    """Print counts, bytes and differences."""
    done, failed = work.done.values(), work.failed
    say(
        f'{len(done)} of {total} videos transcoded, {len(work.there)} were '
        f'there, {len(failed)} failed.'
    )
    if done:
        before, after = (
            sum(getattr(copy, name) for copy in done) / 1e6
            for name in ('bytes_before', 'bytes_after')
        )
        psnr = [copy.psnr for copy in done]
        say(
            f'{before:.1f} MB became {after:.1f} MB ({after / before:.2f}); '
            f'luma differs by {sum(psnr) / len(psnr):.1f} dB PSNR, '
            f'{min(psnr):.1f} dB at worst.'
        )
    for path, reason in list(failed.items())[:5]:
        say(f'failed: {path}: {reason}')
    if failed:
        say(f'All that failed: {out / FAILED}; the lists still name them.')


def print_speeds(root: Path, paths: Sequence[str], out: Path) -> None:
    """Measure and print what the copies are worth."""

    def measure() -> Iterator[Tuple[float, float]]:
        yield loading_speeds(root, paths, out)

    try:  # decord is not always there, reads less, and may end its process
        ((before, after),) = iterate_in_process(measure)
    except (ImportError, ProcessDied, *unreadable()) as error:
        reason = str(error).strip().splitlines()[0]
        say(f'mmaction2 cannot load the originals to compare: {reason}')
        return
    say(
        f'Training clips of 8 x 16 frames per CPU-second: {before:.1f} from '
        f"the originals with mmaction2's pipeline, {after:.1f} from the "
        f'copies with ours, {after / before:.1f} times as many.'
    )


def main() -> None:
    """Transcode what the command line says."""
    args = parse_args()
    settings = Settings(args.short_side, args.gop, args.crf, args.encoder)
    try:
        root, paths = plan(args.sources, args.root)
        keep_sources(args.sources, [args.out / s.name for s in args.sources])
        work = transcode_all(root, paths, args.out, settings, args.num_workers)
        if not args.sources[0].is_dir():
            for path in write_lists(args.sources, args.out):
                say(f'Wrote {path}.')
    except (OSError, ValueError) as error:
        fail(error)
    summarize(work, len(paths), args.out)
    ready = sorted({*work.done, *work.there})
    if ready:
        print_speeds(root, ready, args.out)
    sys.exit(bool(work.failed))


if __name__ == '__main__':
    main()
