"""V-JEPA 2 and 2.1 of Meta: video transformers over tubelets.

Sizes and dialects are those of ``trunks/vjepa.py``; a figure of operations is
a clip of 16 frames by its frames.
"""

from typing import Dict

from ..row import IMAGENET, TIMM_FILE, HubFile, Published, Trunk

FILES = 'https://dl.fbaipublicfiles.com/vjepa2'
README = 'README'
# Name of the file: sizes, channels, parameters in millions as the README says.
_V2: Dict[str, tuple] = {
    'vitl-fpc64-256': ('large-p16', 1024, 256, 300),
    'vith-fpc64-256': ('huge-p16', 1280, 256, 600),
    'vitg-fpc64-256': ('giant-p16', 1408, 256, 1000),
    'vitg-fpc64-384': ('giant-p16', 1408, 384, 1000),
}
# The authors' files, which the Hub has not; ours differ in more than capitals.
_V21: Dict[str, tuple] = {
    'vitb': ('vitb_dist_vitG', 'base-p16', 768, 80),
    'vitl': ('vitl_dist_vitG', 'large-p16', 1024, 300),
    'vitg': ('vitg', 'giant-p16', 1408, 1000),
    'vitgigantic': ('vitG', 'gigantic-p16', 1664, 2000),
}


def _vjepa(
    arch: str, width: int, size: int, params: int, dialect: str, note: str
) -> Trunk:
    """Write the row of a V-JEPA."""
    return Trunk(
        'vjepa',
        arch,
        width,
        *IMAGENET,
        'MIT',
        note,
        dialect,
        size,
        published=Published(params, source=README),
    )


ROWS: Dict[str, Trunk] = {
    **{
        f'facebook/vjepa2-{name}': _vjepa(
            *sizes, 'vjepa2', f'V-JEPA 2, {name}'
        )._replace(hub=HubFile(f'facebook/vjepa2-{name}', TIMM_FILE))
        for name, sizes in _V2.items()
    },
    **{
        f'facebook/vjepa2.1-{name}-384': _vjepa(
            arch, width, 384, params, 'vjepa2.1', f'V-JEPA 2.1, {name}'
        )._replace(url=f'{FILES}/vjepa2_1_{file}_384.pt')
        for name, (file, arch, width, params) in _V21.items()
    },
}
