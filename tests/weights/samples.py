"""Tiny weights in our names, and modules that have any given names."""

from typing import Dict, Sequence, Tuple

import torch
from torch import Tensor, nn

C, GRID, PATCH, LAYERS = 8, 3, 4, 2
StateDict = Dict[str, Tensor]


def random_weights(shapes: Dict[str, Sequence[int]]) -> StateDict:
    """Draw different numbers for every name."""
    torch.manual_seed(0)
    return {name: torch.randn(tuple(s)) for name, s in shapes.items()}


def layer(name: str, *shape: int) -> Dict[str, Tuple[int, ...]]:
    """Give a weight and its bias."""
    return {f'{name}.weight': shape, f'{name}.bias': shape[:1]}


def vit_shapes(
    width: int = C, pre_norm: bool = True, patch_bias: bool = False
) -> Dict[str, Sequence[int]]:
    """Give names and shapes of a ViT as our backbones have them."""
    shapes = {
        'class_embedding': (width,),
        'positional_embedding': (1 + GRID * GRID, width),
        **layer('conv1', width, 3, PATCH, PATCH),
        **layer('ln_pre', width),
        **layer('ln_post', width),
    }
    for i in range(LAYERS):
        block = f'transformer.resblocks.{i}'
        shapes.update(
            {
                **layer(f'{block}.ln_1', width),
                **layer(f'{block}.ln_2', width),
                f'{block}.attn.in_proj_weight': (3 * width, width),
                f'{block}.attn.in_proj_bias': (3 * width,),
                **layer(f'{block}.attn.out_proj', width, width),
                **layer(f'{block}.mlp.c_fc', 4 * width, width),
                **layer(f'{block}.mlp.c_proj', width, 4 * width),
            }
        )
    absent = (() if pre_norm else ('ln_pre.',)) + (
        () if patch_bias else ('conv1.bias',)
    )
    return {k: v for k, v in shapes.items() if not k.startswith(absent)}


def vit(**options: bool) -> StateDict:
    """Give a ViT's weights under our names."""
    return random_weights(vit_shapes(**options))


def aim(**options: bool) -> StateDict:
    """Give the weights of a ViT with two temporal adapters."""
    shapes = vit_shapes(**options)
    shapes['temporal_embedding'] = (1, 5, C)
    for i in range(LAYERS):
        for part in ('t_adapter', 't_adapter_in', 's_adapter', 'mlp_adapter'):
            name = f'transformer.resblocks.{i}.{part}'
            shapes.update(layer(f'{name}.down', C // 4, C))
            shapes.update(layer(f'{name}.up', C, C // 4))
    return random_weights(shapes)


def swin(adapters: bool = False) -> StateDict:
    """Give the weights of a video Swin under our names."""
    shapes = {
        **layer('patch_embed.proj', C, 3, 2, 4, 4),
        **layer('patch_embed.norm', C),
        **layer('layers.0.downsample.norm', 4 * C),
        'layers.0.downsample.reduction.weight': (2 * C, 4 * C),
        **layer('norm', 2 * C),
    }
    for i, width in enumerate((C, 2 * C)):
        for j in range(2):
            block = f'layers.{i}.blocks.{j}'
            shapes.update(
                {
                    **layer(f'{block}.norm1', width),
                    **layer(f'{block}.norm2', width),
                    **layer(f'{block}.attn.qkv', 3 * width, width),
                    **layer(f'{block}.attn.proj', width, width),
                    f'{block}.attn.relative_position_bias_table': (9, 2),
                    **layer(f'{block}.mlp.fc1', 4 * width, width),
                    **layer(f'{block}.mlp.fc2', width, 4 * width),
                }
            )
            parts = ('t_adapter', 's_adapter', 'mlp_adapter')[j:]
            for part in parts if adapters else ():
                shapes.update(layer(f'{block}.{part}.down', width // 4, width))
                shapes.update(layer(f'{block}.{part}.up', width, width // 4))
        if adapters:
            name = f'layers.{i}.blocks.0.attn.temporal_position_bias_table'
            shapes[name] = (5, 2)
    return random_weights(shapes)


def replace(weights: StateDict, *tables: Dict[str, str]) -> StateDict:
    """Replace pieces of names, in order."""
    pairs = [pair for table in tables for pair in table.items()]
    renamed = {}
    for name, value in weights.items():
        for old, new in pairs:
            name = name.replace(old, new)
        renamed[name] = value
    return renamed


class Node(nn.Module):
    """A module with given parameters, and integer buffers."""

    def __init__(self, weights: StateDict) -> None:
        super().__init__()
        nested: Dict[str, StateDict] = {}
        for name, value in weights.items():
            first, _, rest = name.partition('.')
            if rest:
                nested.setdefault(first, {})[rest] = value
            elif value.is_floating_point():
                self.register_parameter(first, nn.Parameter(value.clone()))
            else:
                self.register_buffer(first, value.clone())
        for name, inner in nested.items():
            self.add_module(name, Node(inner))

    def forward(self, x: Tensor) -> Tensor:
        """Do nothing; TorchScript wants a forward."""
        return x


def same(actual: StateDict, expected: StateDict) -> None:
    """Assert equal names, types and numbers."""
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype, name
        assert actual[name].shape == value.shape, name
        assert torch.equal(actual[name], value), name
