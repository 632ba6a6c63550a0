"""Describe a published trunk: what a row of the table holds.

Data only, without PyTorch.
"""

from typing import NamedTuple, Optional, Tuple, Union

from mmvidadapt.utils.hub_file import HubFile

Triple = Tuple[float, float, float]
# Mean and std of the pixels, in 0..255.
CLIP = (122.771, 116.746, 104.094), (68.501, 66.632, 70.323)
IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
HALF = (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)
# The JAX projects approximate GELU by tanh.
FLAX = dict(pre_norm=False, act='gelu_tanh', eps=1e-6, patch_bias=True)
TIMM_FILE = ('model.safetensors',)


class Published(NamedTuple):
    """Published size and cost of a trunk, to compare ours with.

    Args:
        params (float): Parameters in millions.
        gmacs (float, optional): Multiply-accumulates of an image in 1e9.
            Defaults to None: nobody says.
        img_size (int, optional): Height and width of that image.
            Defaults to None.
        extra (int): Parameters of a projection or classifier that are
            counted there and that the trunk here has not. Defaults to 0.
        source (str): Who says so. Defaults to ``'timm'``: its table of
            speeds.
    """

    params: float
    gmacs: Optional[float] = None
    img_size: Optional[int] = None
    extra: int = 0
    source: str = 'timm'


class Trunk(NamedTuple):
    """A published trunk.

    Args:
        family (str): ``'vit'``, ``'vivit'`` (model 1), ``'vivit_fe'`` (model
            2), ``'swin'``, ``'video_swin'`` or ``'vjepa'``.
        arch (str | dict): Sizes, or their name in the ``ARCHS`` of the
            family.
        width (int): Channels C that the trunk gives.
        mean (Tuple[float, float, float], optional): Mean of the pixels, in
            0..255. None: pixels are not normalised.
        std (Tuple[float, float, float], optional): Their standard deviation.
        licence (str): Of the weights.
        note (str): What it is and where it comes from.
        dialect (str | dict, optional): Of image ViTs and ViViTs, see
            :class:`ViTTrunk`. Defaults to None.
        img_size (int): Height and width of its images. Defaults to 224.
        weights (str, optional): Name in ``SOURCES``. Defaults to None: there
            is no download that can be read, give ``pretrained``.
        projection (int, optional): Channels of CLIP's projection into the
            space that it shares with texts. Defaults to None: there is none.
        name (str): Key in :data:`~.table.TRUNKS`. Defaults to ''.
        hub (HubFile, optional): Where on the Hub its weights lie.
            Defaults to None: ``SOURCES`` says where.
        mirror (HubFile, optional): The same weights as timm keeps them;
            its repository is another name of the trunk. Defaults to None.
        url (str, optional): Address of the weights elsewhere.
            Defaults to None.
        by_hand (bool): Whether only a person in front of a browser gets the
            weights. Defaults to False.
        published (Published, optional): Size and cost that are published.
            Defaults to None.
    """

    family: str
    arch: Union[str, dict]
    width: int
    mean: Optional[Triple]
    std: Optional[Triple]
    licence: str
    note: str
    dialect: Union[str, dict, None] = None
    img_size: int = 224
    weights: Optional[str] = None
    projection: Optional[int] = None
    name: str = ''
    hub: Optional[HubFile] = None
    mirror: Optional[HubFile] = None
    url: Optional[str] = None
    by_hand: bool = False
    published: Optional[Published] = None


def sizes(dims: int, depth: int, heads: int, patch: int, hidden: int) -> dict:
    """Write the sizes of a ViT.

    Args:
        dims (int): Channels C.
        depth (int): Number of blocks.
        heads (int): Number of heads.
        patch (int): Height and width of a patch in pixels.
        hidden (int): Channels inside the MLP; of each half where it is gated.

    Returns:
        dict: An ``arch``.
    """
    arch = dict(
        embed_dims=dims, num_layers=depth, num_heads=heads, patch_size=patch
    )
    if hidden != 4 * dims:
        arch['mlp_ratio'] = hidden / dims
    return arch
