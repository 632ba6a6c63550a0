"""Copy frames in the size that a tokenizer reads."""

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class TokenizerView(BaseTransform):
    """Copy the frames in the size that a tokenizer wants.

    To be placed after cropping and flipping and before formatting, so that a
    tokenizer sees what the model sees. ``results['view']`` becomes uint8
    ``(T, 3, size, size)``, resized with a Lanczos kernel.

    Args:
        size (int): Side of the pictures, the tokenizer's ``input_size``.
            Defaults to 112.
    """

    def __init__(self, size: int = 112) -> None:
        self.size = size

    def transform(self, results: dict) -> dict:
        """Add the copies."""
        frames = [
            frame
            if frame.shape[:2] == (self.size, self.size)
            else cv2.resize(
                frame,
                (self.size, self.size),
                interpolation=cv2.INTER_LANCZOS4,
            )
            for frame in results['imgs']
        ]
        view = np.stack(frames).transpose(0, 3, 1, 2)  # (T, 3, H, W)
        results['view'] = torch.from_numpy(np.ascontiguousarray(view))
        return results
