"""Install mmvidadapt; its configs and tools travel inside the package."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
# What `mim`, `mmengine.hub` and `mmvidadapt::` configs look for in a package.
SHIPPED = ('configs', 'tools', 'model-index.yml')


def ship() -> None:
    """Show configs, tools and the model index in ``mmvidadapt/.mim``.

    Links keep an editable install true to the checkout; a wheel holds what
    they point to.
    """
    target = ROOT / 'mmvidadapt' / '.mim'
    if not (ROOT / 'configs').is_dir():
        raise SystemExit(
            f'{ROOT} holds no configs/: build mmvidadapt from '
            'its whole checkout or sdist.'
        )
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in SHIPPED:
        try:
            (target / name).symlink_to(Path('..', '..', name))
        except OSError:  # no links on this file system
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, target / name)


def version() -> str:
    """Read the version without importing the package."""
    text = (ROOT / 'mmvidadapt' / 'version.py').read_text()
    return re.search(r"__version__ = '(.+)'", text).group(1)


ship()
setup(
    name='mmvidadapt',
    version=version(),
    description='Image models that understand video: AIM, DualPath, EVL, BEVT '
    'and ViViT for mmaction2',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['mmvidadapt', 'mmvidadapt.*']),
    package_data={'mmvidadapt': ['.mim/*', '.mim/**/*', 'apis/*/*.css']},
    python_requires='>=3.10,<3.13',
    install_requires=[
        'torch>=2.6',
        'torchvision>=0.21',
        'numpy>=1.26',
        'scipy>=1.11',
        'packaging>=23',
        'mmengine>=0.10.7,<1',
        'mmcv-lite>=2.0.1,<2.2',
        'mmaction2==1.2.0',
        'mmpretrain>=1.2,<1.3',
        # mmengine and mmcv ask for the one, mmaction2 for the other, and both
        # write the folder cv2: the newest that they were both released in.
        'opencv-python>=4.8,<=5.0.0.93',
        'opencv-contrib-python>=4.8,<=5.0.0.93',
        # There are no other wheels; elsewhere PyAV alone reads videos.
        'decord>=0.6; platform_machine == "x86_64" and sys_platform == "linux"'
        ' or platform_machine == "AMD64" and sys_platform == "win32"',
        'av>=16',
        'einops>=0.7',
        'fvcore>=0.1.5.post20221221',
        'safetensors>=0.4',
        'filelock>=3.25',
        'huggingface_hub>=1.0',
        'rich>=13',
        'tensorboard',
        'matplotlib',
    ],
    extras_require={
        'test': ['pytest', 'pytest-xdist'],
        # What trunks are compared with; the tests are skipped without.
        'oracles': ['timm==1.0.31', 'transformers==5.24.0'],
    },
    classifiers=[
        'Development Status :: 4 - Beta',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
