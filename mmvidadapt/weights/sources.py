"""Where published weights lie, and how a name becomes a local file."""

import difflib
import hashlib
import os
import re
from typing import Dict, Optional, Union
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .download import Source, fetch


def _openai(name: str, sha256: str, size: int) -> Source:
    """Describe an OpenAI archive; the hash is part of its address."""
    url = f'https://openaipublic.azureedge.net/clip/models/{sha256}/{name}.pt'
    return Source(url, sha256, size, 'MIT', f'OpenAI CLIP {name}')


def _aim(file_id: str, note: str) -> Source:
    """Describe a released AIM checkpoint."""
    url = f'https://drive.google.com/file/d/{file_id}/view'
    return Source(url, licence='Apache-2.0', note=f'official AIM, {note}')


SOURCES: Dict[str, Source] = {
    'openai/ViT-B-16': _openai(
        'ViT-B-16',
        '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
        335,
    ),
    'openai/ViT-L-14': _openai(
        'ViT-L-14',
        'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836',
        890,
    ),
    'openai/ViT-L-14-336px': _openai(
        'ViT-L-14-336px',
        '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02',
        891,
    ),
    # Known to timm as vit_base_patch16_224.orig_in21k_ft_in1k.
    'timm/jx_vit_base_p16_224': Source(
        'https://github.com/rwightman/pytorch-image-models/releases/download/'
        'v0.1-vitjx/jx_vit_base_p16_224-80ecf9dd.pth',
        '80ecf9dd',
        330,
        'Apache-2.0',
        'ViT-B/16, ImageNet-21k, fine-tuned on ImageNet-1k',
    ),
    'microsoft/swin_base_patch4_window7_224_22k': Source(
        'https://github.com/SwinTransformer/storage/releases/download/'
        'v1.0.0/swin_base_patch4_window7_224_22k.pth',
        licence='MIT',
        note='Swin-B, ImageNet-22k',
    ),
    'aim/vitb16_k400': _aim(
        '1oRmpP47Z6jWq4NHEpONNGAeKgDTFVNEO', 'ViT-B/16, 8 frames, K400'
    ),
    'aim/vitb16_16f_k400': _aim(
        '1QuCjDcQUNVyH8_LBjITQMUGIehogb_k8', 'ViT-B/16, 16 frames, K400'
    ),
    'aim/vitb16_32f_k400': _aim(
        '1hwlxj51naOpY2WG9FosX45voQgpUbEn4', 'ViT-B/16, 32 frames, K400'
    ),
    'aim/vitl14_k400': _aim(
        '1pR6n2UxA3zJsWjAJhTJXJqaPEJYYfBOQ', 'ViT-L/14, 8 frames, K400'
    ),
    'aim/vitl14_16f_k400': _aim(
        '1X7lqRYTbyMfO3L0zZXACEdIm21NU4Soc', 'ViT-L/14, 16 frames, K400'
    ),
    'aim/vitl14_32f_k400': _aim(
        '1W1v53x8FAiVBTkAB0pIUUQUF-6hN_y2J', 'ViT-L/14, 32 frames, K400'
    ),
    'aim/vitb16_32f_k700': _aim(
        '1XG1BL81jx9ibJz7HNY8ZPke84FnIkbqz', 'ViT-B/16, 32 frames, K700'
    ),
    'aim/vitb16_32f_diving48': _aim(
        '1YMEWV8HM0v1hkq3-35gNGjh_DMDeC-cn', 'ViT-B/16, 32 frames, Diving48'
    ),
}


def resolve(
    source: Union[str, os.PathLike], cache_dir: Optional[str] = None
) -> str:
    """Give the local path of weights, downloading them when needed.

    Args:
        source (str | os.PathLike): Alias of ``SOURCES``, ``http(s)://`` or
            ``file://`` URL, or path.
        cache_dir (str, optional): Folder that keeps downloads, in its
            ``weights``. Defaults to None: ``$MMVIDADAPT_HOME``, else
            ``~/.cache/mmvidadapt``.

    Returns:
        str: Path of an existing file.
    """
    source = os.fspath(source)
    if source in SOURCES:
        return fetch(SOURCES[source], _target(source, cache_dir))
    if source.startswith(('http://', 'https://')):
        known = [name for name, s in SOURCES.items() if s.url == source]
        if known:
            return resolve(known[0], cache_dir)
        return fetch(Source(source), _target(source, cache_dir))
    path = source
    if source.startswith('file://'):
        path = url2pathname(urlsplit(source).path)
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(_not_found(source, path))
    return path


def _not_found(source: str, path: str) -> str:
    """Say what was looked for, what is near and what there is."""
    close = difflib.get_close_matches(source, SOURCES, n=3)
    guess = f' Did you mean {" or ".join(map(repr, close))}?' if close else ''
    state = 'a folder' if os.path.isdir(path) else 'no file'
    return (
        f"No weights '{source}': {path} is {state}, and no alias has "
        f'this name.{guess} Give the path of a file, an http(s):// or '
        f'file:// URL, or an alias: {sorted(SOURCES)}.'
    )


def _target(source: str, cache_dir: Optional[str]) -> str:
    """Name the file that keeps a download."""
    home = cache_dir or os.environ.get('MMVIDADAPT_HOME')
    folder = os.path.join(
        os.path.expanduser(home or '~/.cache/mmvidadapt'), 'weights'
    )
    if source in SOURCES:
        suffix = os.path.splitext(urlsplit(SOURCES[source].url).path)[1]
        name = source.replace('/', '_') + (suffix or '.pth')
    else:  # two URLs may end in the same name
        base = urlsplit(source).path.rsplit('/', 1)[-1] or 'weights'
        digest = hashlib.sha256(source.encode()).hexdigest()
        name = f'{digest[:8]}_{re.sub("[^A-Za-z0-9._-]", "_", base)}'
    return os.path.abspath(os.path.join(folder, name))
