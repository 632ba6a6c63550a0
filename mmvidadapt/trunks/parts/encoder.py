"""Tokens before the patches, learned positions, blocks, readout."""

from typing import Any, Iterable, Optional

import torch
from torch import Tensor, nn

from mmvidadapt.utils.check_choices import check_choices

OUT_TYPES = ('cls_token', 'avg_featmap', 'attn_pool', 'raw')


class Encoder:
    """Parameters and steps of a transformer encoder, for modules that are one.

    Letters: S sequences of L tokens, P of which stand before the patches.
    Parameters have the names of OpenAI's CLIP. What the encoder was trained
    to be read by is its ``out_type``: the class token, the mean of all
    patches, an attention pool, or ``'raw'``, nothing, where a method reads
    all tokens.
    """

    out_type = 'cls_token'

    @property
    def num_prefix_tokens(self) -> int:
        """Count the tokens P before the patches: class token, registers."""
        registers = 0 if self.registers is None else len(self.registers)
        return int(self.class_embedding is not None) + registers

    def make_encoder(
        self,
        embed_dims: int,
        num_positions: int,
        blocks: Iterable[nn.Module],
        eps: float,
        cls_token: bool = True,
        registers: int = 0,
        positions: bool = True,
        final_norm: bool = True,
        attn_pool: Optional[nn.Module] = None,
    ) -> None:
        """Create the parameters.

        Args:
            embed_dims (int): Number of channels C.
            num_positions (int): Number of patches or frames.
            blocks (Iterable[nn.Module]): The blocks.
            eps (float): Epsilon of the last norm.
            cls_token (bool): Whether there is a class token.
                Defaults to True.
            registers (int): Number of register tokens, which stand behind the
                class token and have no position. Defaults to 0.
            positions (bool): Whether learned positions are added.
                Defaults to True.
            final_norm (bool): Whether there is a norm after the blocks.
                Defaults to True.
            attn_pool (nn.Module, optional): Attention pool, (S, L, C) to
                (S, 1, C). Defaults to None.

        Raises:
            ValueError: If ``out_type`` is unknown, or is to read what there
                is not.
        """
        check_choices('out_type', [self.out_type], OUT_TYPES)
        read = dict(cls_token=cls_token, attn_pool=attn_pool is not None)
        if not read.get(self.out_type, True):
            raise ValueError(
                f'out_type={self.out_type!r} reads what there is not with '
                f'{self.out_type}=False; choose '
                "out_type='avg_featmap', the mean of the patches."
            )

        def token(wanted: bool, *shape: int) -> Optional[nn.Parameter]:
            return nn.Parameter(torch.zeros(*shape)) if wanted else None

        rows = cls_token + num_positions
        self.class_embedding = token(cls_token, embed_dims)
        self.registers = token(registers > 0, registers, embed_dims)
        self.positional_embedding = token(positions, rows, embed_dims)
        self.num_tokens = self.num_prefix_tokens + num_positions
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(blocks)
        for block in self.transformer.resblocks[-1:]:
            block.only_readout = self.out_type == 'cls_token'
        self.ln_post = (
            nn.LayerNorm(embed_dims, eps=eps) if final_norm else nn.Identity()
        )
        self.attn_pool = attn_pool  # behind the layers, as it is used

    def prepend(self, x: Tensor, *tokens: Optional[Tensor]) -> Tensor:
        """Put tokens before others where they are: (S, N, C), (S, P+N, C)."""
        rows = [
            t.to(x.dtype).view(-1, x.shape[-1]).expand(x.shape[0], -1, -1)
            for t in tokens
            if t is not None
        ]  # (S, 1 or P-1, C)
        return torch.cat([*rows, x], dim=1)  # (S, P+N, C)

    def add_positions(self, x: Tensor) -> Tensor:
        """Prepend class token and registers, add positions, (S, P+N, C)."""
        if self.class_embedding is not None:
            x = self.prepend(x, self.class_embedding)  # (S, 1+N, C)
        if self.positional_embedding is not None:
            x = x + self.positional_embedding  # (S, 1+N, C)
        if self.registers is None:
            return x
        first = 0 if self.class_embedding is None else 1
        cls, patches = x[:, :first], x[:, first:]
        return torch.cat([cls, self.prepend(patches, self.registers)], dim=1)

    def run_block(self, block: nn.Module, x: Tensor, *args: Any) -> Tensor:
        """Run one block."""
        return block(x, *args)

    def run_blocks(self, x: Tensor) -> Tensor:
        """Run all blocks on tokens (S, L, C).

        Lean blocks know whether they are the last and what is read of them,
        and return no more than that.
        """
        for block in self.transformer.resblocks:
            x = self.run_block(block, x)  # (S, L, C)
        return x

    def read_out(self, x: Tensor) -> Tensor:
        """Norm tokens (S, L, C) and read what is read: (S, 1, C)."""
        if self.out_type == 'cls_token':
            return self.ln_post(x[:, :1])  # (S, 1, C)
        x = self.ln_post(x)  # (S, L, C)
        if self.out_type == 'attn_pool':
            return self.attn_pool(x)  # (S, 1, C)
        patches = x[:, self.num_prefix_tokens :]  # (S, N, C)
        return patches.mean(1, keepdim=True)  # (S, 1, C)


class TokenEncoder(Encoder, nn.Module):
    """Encoder of sequences of tokens.

    Args:
        embed_dims (int): Number of channels C.
        num_positions (int): Length L of the sequence.
        blocks (Iterable[nn.Module]): Its blocks.
        out_type (str): ``'cls_token'``, which it then has, or
            ``'avg_featmap'``, the mean.
        eps (float): Epsilon of the last norm.
    """

    def __init__(
        self,
        embed_dims: int,
        num_positions: int,
        blocks: Iterable[nn.Module],
        out_type: str,
        eps: float,
    ) -> None:
        super().__init__()
        self.out_type = out_type
        cls_token = out_type == 'cls_token'
        self.make_encoder(embed_dims, num_positions, blocks, eps, cls_token)

    def forward(self, x: Tensor) -> Tensor:
        """Encode (S, L, C); return (S, 1, C)."""
        return self.read_out(self.run_blocks(self.add_positions(x)))
