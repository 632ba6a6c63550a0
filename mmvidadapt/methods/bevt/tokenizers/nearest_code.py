"""Find the nearest code of a codebook in chunks of the distances."""

import torch
from torch import Tensor

CHUNK = 2**24  # scores held at a time: 64 MiB


def nearest(rows: Tensor, codes: Tensor) -> Tensor:
    """Find the code that is nearest to each row.

    ``argmin |z - e|^2 = argmax z.e - |e|^2 / 2``: the length of z decides
    nothing. Chunked, because 8,192 codes make 8,192 scores of every row.

    Args:
        rows (Tensor): Features ``(K, D)``.
        codes (Tensor): Codebook ``(V, D)``.

    Returns:
        Tensor: Indices ``(K,)``, int64.
    """
    half = codes.square().sum(1) / 2  # (V,)
    step = max(1, CHUNK // len(codes))
    parts = [
        torch.addmm(-half, part, codes.T).argmax(1)  # (k,) of (k, V)
        for part in rows.split(step)
    ]
    return torch.cat(parts) if parts else half.new_zeros(0, dtype=torch.long)
