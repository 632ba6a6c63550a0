"""Fit the centres of a k-means tokenizer on one's own pictures."""

import logging
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmvidadapt.datasets.prepare.video_folders import name_others, walk_videos
from mmvidadapt.methods.bevt.tokenizers.kmeans import KMeansTokenizer
from mmvidadapt.methods.bevt.tokenizers.nearest_code import nearest
from mmvidadapt.utils.video import EXTENSIONS as VIDEOS

from ..use.windows import read_frames

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
BATCH = 16  # pictures that are encoded at a time
SMALLEST = 0.7  # of the short side: how small a random crop may be


class FitReport(NamedTuple):
    """Report of a fit, on the pictures it was fitted on."""

    pictures: int
    rows: int  # that the centres were fitted on
    used: int  # centres that occur
    entropy: float  # of the ids, in nats: what knowing their counts gives
    psnr: Optional[float]  # of decoded pictures, in dB

    def __str__(self) -> str:
        """Format as one line."""
        psnr = '' if self.psnr is None else f', decoded at {self.psnr:.1f} dB'
        return (
            f'{self.pictures} pictures, {self.rows} rows; {self.used} centres '
            f'occur, unigram entropy {self.entropy:.3f} nats{psnr}'
        )


def list_pictures(folder: Union[str, Path]) -> List[Path]:
    """Return the images and videos of a folder, in the order of their names.

    Other files are counted and named in the log.

    Args:
        folder (str | Path): A folder of any depth.

    Returns:
        List[Path]: At least one file.
    """
    folder, others, known = Path(folder), [], IMAGES + VIDEOS
    found = sorted(
        folder / path for path in walk_videos(folder, others, known)
    )
    for note in name_others(others, 'image or video'):
        print_log(f'{folder}: {note}', 'current', logging.WARNING)
    if not found:
        raise ValueError(
            f'There is no image and no video in {folder}; known endings: '
            f'{", ".join(known)}.'
        )
    return found


def read_pictures(
    files: Sequence[Path], number: int, size: int, seed: int = 0
) -> Tensor:
    """Read random square crops of images and of frames of videos.

    Files that cannot be read are named in the log and left out.

    Args:
        files (Sequence[Path]): Images and videos.
        number (int): How many crops at most, spread over the files.
        size (int): Side of the crops.
        seed (int): Of what is drawn. Defaults to 0.

    Returns:
        Tensor: Crops ``(M, 3, size, size)``, uint8.
    """
    rng, crops = np.random.default_rng(seed), []
    files = [files[i] for i in rng.permutation(len(files))[:number]]
    for i, path in enumerate(files):
        wanted = number * (i + 1) // len(files) - number * i // len(files)
        try:
            pictures = _draw(path, wanted, rng)
        except ValueError as error:
            print_log(f'Left out: {error}', 'current', level=30)
            continue
        crops += [_crop(picture, size, rng) for picture in pictures]
    if not crops:
        raise ValueError(
            f'None of {len(files)} files can be read, {files[0]} for one; '
            'give images or videos that OpenCV opens.'
        )
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


def _draw(path: Path, number: int, rng: np.random.Generator) -> list:
    """Read an image as often as wanted, or that many frames of a video."""
    if path.suffix.lower() in VIDEOS:
        frames = list(read_frames(path))
        if not frames:
            raise ValueError(f'{path} holds no frame that can be decoded.')
        return [frames[i] for i in rng.integers(len(frames), size=number)]
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f'{path} is no image that can be decoded.')
    return [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)] * number


def _crop(
    picture: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Cut a random square out of (H, W, 3) and resize it."""
    short = min(picture.shape[:2])
    side = max(1, int(short * rng.uniform(SMALLEST, 1)))
    top, left = (int(rng.integers(s - side + 1)) for s in picture.shape[:2])
    square = picture[top : top + side, left : left + side]
    small = side > size
    how = cv2.INTER_AREA if small else cv2.INTER_CUBIC
    return cv2.resize(square, (size, size), interpolation=how)


def kmeans(
    rows: Tensor, number: int, iterations: int = 20, seed: int = 0
) -> Tensor:
    """Find centres by Lloyd's algorithm.

    A centre that no row is nearest to moves to a row that is far from its
    own, so that all of them are used.

    Args:
        rows (Tensor): Features ``(N, D)``.
        number (int): How many centres.
        iterations (int): Rounds. Defaults to 20.
        seed (int): Of the first centres. Defaults to 0.

    Returns:
        Tensor: Centres ``(number, D)``.
    """
    if len(rows) < number:
        raise ValueError(
            f'{len(rows)} rows cannot give {number} centres; give more '
            'pictures or a smaller vocab_size.'
        )
    order = torch.Generator().manual_seed(seed)
    first = torch.randperm(len(rows), generator=order)[:number]
    centres = rows[first.to(rows.device)].clone()
    for _ in range(iterations):
        ids = nearest(rows, centres)
        counts = torch.bincount(ids, minlength=number)
        sums = torch.zeros_like(centres).index_add_(0, ids, rows)
        error = (rows - centres[ids]).square().sum(1)
        lonely = counts == 0
        centres = sums / counts.clamp(min=1)[:, None]
        centres[lonely] = rows[error.topk(int(lonely.sum())).indices]
    return centres


@torch.no_grad()
def fit(
    tokenizer: KMeansTokenizer,
    pictures: Tensor,
    max_rows: int = 200_000,
    iterations: int = 20,
    seed: int = 0,
) -> FitReport:
    """Fit the centres of a tokenizer to the features of pictures.

    Args:
        tokenizer (KMeansTokenizer): Its ``centres`` are replaced.
        pictures (Tensor): ``(M, 3, h, w)`` from 0 to 255.
        max_rows (int): Features that k-means sees at most.
            Defaults to 200_000.
        iterations (int): Rounds of k-means. Defaults to 20.
        seed (int): Of the choice of features and first centres.
            Defaults to 0.

    Returns:
        FitReport: Counts, entropy and quality.
    """
    tokenizer.read_parts()
    tokenizer.loaded = True  # the centres come from here
    device = tokenizer.centres.device
    rows = torch.cat(
        [
            tokenizer.features(batch.to(device).float()).flatten(0, 2)
            for batch in pictures.split(BATCH)
        ]
    )
    order = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(rows), generator=order)[:max_rows]
    rows = rows[chosen.to(device)]
    tokenizer.centres.copy_(
        kmeans(rows, tokenizer.vocab_size, iterations, seed)
    )
    return _report(tokenizer, pictures, len(rows))


def _report(
    tokenizer: KMeansTokenizer, pictures: Tensor, rows: int
) -> FitReport:
    """Tokenize the pictures and see what is left of them."""
    counts, error = torch.zeros(tokenizer.vocab_size), []
    for batch in pictures.split(BATCH):
        batch = batch.to(tokenizer.centres.device).float()
        ids = tokenizer.tokenize(batch)
        counts += torch.bincount(ids.flatten(), minlength=len(counts)).cpu()
        if tokenizer.decodes:
            error += [(tokenizer.decode(ids) - batch).square().mean((1, 2, 3))]
    psnr = None
    if error:
        mean = torch.cat(error).mean().clamp(min=1e-12)
        psnr = (10 * torch.log10(255**2 / mean)).item()
    entropy = unigram_entropy(counts)
    used = int(counts.count_nonzero())
    return FitReport(len(pictures), rows, used, entropy, psnr)


def unigram_entropy(counts: Tensor) -> float:
    """Compute the entropy, in nats, of ids from their counts, (V,).

    A model that knows nothing but how frequent each id is has this loss.
    """
    share = counts.double() / counts.sum().clamp(min=1)
    return -torch.special.xlogy(share, share).sum().item()


def pictures_of(
    folders: Sequence[Union[str, Path]], number: int, size: int, seed: int
) -> Tensor:
    """Read crops (M, 3, size, size) from several folders."""
    files = [path for folder in folders for path in list_pictures(folder)]
    return read_pictures(files, number, size, seed)
