"""A transformer encoder: class token, positions, blocks, norm, pooling."""

from typing import Any, Iterable

import torch
from torch import Tensor, nn

from .drop_branch import DropBranch
from .lean_block import LeanViTBlock
from .linear import renorm


class EncoderBlock(LeanViTBlock):
    """Pre-norm block whose branches are left out for dropped clips.

    Args:
        drop_path (float): Drop-path rate of the block. Defaults to 0.0.
        num_frames (int): Rows of the batch that belong to one clip.
            Defaults to 1.
        rescale (bool): See :class:`DropBranch`.
            Defaults to True.
        **block: Passed on to :class:`LeanViTBlock`.
    """

    plain = classmethod(lambda cls: cls)  # TODO: no twin yet

    def __init__(
        self,
        drop_path: float = 0.0,
        num_frames: int = 1,
        rescale: bool = True,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.drop_path = DropBranch(drop_path, num_frames, rescale)

    def forward(self, x: Tensor) -> Tensor:
        """Transform tokens (S, L, C), see :class:`LeanViTBlock`."""
        if self.only_readout:
            x = self.drop_path(x[:, :1], self.class_attention, x)  # (S, 1, C)
        else:
            x = self.drop_path(x, self.attention)
        return self.drop_path(x, self.run_mlp)

    def attention(self, x: Tensor) -> Tensor:
        """Let all tokens attend to all."""
        return self.attn(self.ln_1(x), made=(x, renorm(self.ln_1)))

    def class_attention(self, x: Tensor) -> Tensor:
        """Let the class token attend to all."""
        h = self.ln_1(x)
        return self.attn(h, h[:, :1], (x, renorm(self.ln_1)))


class EncoderParts:
    """Parameters and steps of an encoder, for modules that are one.

    The names are those of :class:`mmvidadapt.models.ViTTrunk`.
    """

    @property
    def reads_class_token(self) -> bool:
        """Whether the class token is the output, else the mean."""
        return self.class_embedding is not None

    def make_parts(
        self,
        embed_dims: int,
        num_positions: int,
        blocks: Iterable[nn.Module],
        cls_token: bool,
        eps: float,
    ) -> None:
        """Create the parameters; positions count patches or frames."""
        self.class_embedding = (
            nn.Parameter(torch.zeros(embed_dims)) if cls_token else None
        )
        self.positional_embedding = nn.Parameter(
            torch.empty(num_positions + cls_token, embed_dims)
        )
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(blocks)
        if cls_token and len(self.transformer.resblocks):
            self.transformer.resblocks[-1].only_readout = True
        self.ln_post = nn.LayerNorm(embed_dims, eps=eps)

    def add_positions(self, x: Tensor) -> Tensor:
        """Put the class token before tokens (S, L, C); add positions."""
        if self.reads_class_token:
            cls = self.class_embedding.to(x.dtype).expand(x.shape[0], 1, -1)
            x = torch.cat([cls, x], dim=1)
        return x + self.positional_embedding

    def run_block(self, block: nn.Module, x: Tensor, *args: Any) -> Tensor:
        """Run one block."""
        return block(x, *args)

    def run_blocks(self, x: Tensor) -> Tensor:
        """Run all blocks, the last for the class token alone if it is read."""
        blocks = self.transformer.resblocks
        for block in blocks:
            x = self.run_block(block, x)
        return x

    def pool(self, x: Tensor) -> Tensor:
        """Give the class token or the mean of tokens, (S, C)."""
        x = self.ln_post(x)
        return x[:, 0] if self.reads_class_token else x.mean(1)


class TokenEncoder(EncoderParts, nn.Module):
    """Encoder of a sequence of tokens.

    Args:
        embed_dims (int): Number of channels C.
        num_positions (int): Length L of the sequence.
        blocks (Iterable[nn.Module]): Its blocks.
        cls_token (bool): Whether the output is a class token, not the mean.
        eps (float): Epsilon of the last norm.
    """

    def __init__(
        self,
        embed_dims: int,
        num_positions: int,
        blocks: Iterable[nn.Module],
        cls_token: bool,
        eps: float,
    ) -> None:
        super().__init__()
        self.make_parts(embed_dims, num_positions, blocks, cls_token, eps)

    def forward(self, x: Tensor) -> Tensor:
        """Encode (S, L, C); return (S, C)."""
        return self.pool(self.run_blocks(self.add_positions(x)))
