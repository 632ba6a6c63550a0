"""Check that needed packages are installed before an import fails."""

from importlib.util import find_spec

# Module -> what to install for it. decord is not among them: it has wheels for
# few platforms, and PyAV reads what it reads.
NEEDED = {
    'torch': 'torch',
    'torchvision': 'torchvision',
    'numpy': 'numpy',
    'cv2': 'opencv-python',
    'mmengine': 'mmengine',
    'mmcv': 'mmcv-lite',
    'mmaction': 'mmaction2',
    'mmpretrain': 'mmpretrain',
    'av': 'av',
    'einops': 'einops',
    'safetensors': 'safetensors',
}


def check_installed() -> None:
    """Look for every package that is needed.

    Raises:
        ImportError: If one is missing; it names all that are.
    """
    missing = [pip for name, pip in NEEDED.items() if find_spec(name) is None]
    if missing:
        raise ImportError(
            f'mmvidadapt needs {", ".join(missing)}, not installed here. '
            'Install the tested set with `pip install -r '
            'requirements/tested.txt`, or what is missing with `pip install '
            f'{" ".join(missing)}`.'
        )
