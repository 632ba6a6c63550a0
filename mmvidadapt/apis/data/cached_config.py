"""Make a config read cached features in the place of videos."""

import copy

from mmengine.config import Config

PER_CLIP = ('VideoRandomErasing',)  # blendings that mix no clips


def erases(cfg: Config, split: str) -> bool:
    """Check whether parts of single clips are erased, behind the pipeline."""
    blending = cfg.model.data_preprocessor.get('blending') or {}
    return split == 'train' and blending.get('type') in PER_CLIP


def config_from_cache(cfg: Config, folders: dict) -> Config:
    """Make a config read the caches instead of videos.

    Args:
        cfg (Config): A config with a backbone that can be cached.
        folders (dict): Split to folder.

    Returns:
        Config: A copy. What has no folder is read from video as before.
    """
    cfg = copy.deepcopy(cfg)
    preprocessor = cfg.model.data_preprocessor.to_dict()
    kind = preprocessor.get('type', 'ActionDataPreprocessor')
    if kind != 'ActionDataPreprocessor':
        raise ValueError(
            f'The data preprocessor is {kind}; features are cached for '
            'ActionDataPreprocessor, and for all splits at once.'
        )
    blending = preprocessor.get('blending')
    if 'train' in folders and erases(cfg, 'train'):
        cfg.model.data_preprocessor.pop('blending')  # done while caching
    elif 'train' in folders and blending:
        raise ValueError(
            f'{blending=} mixes pixels, which cached features no longer have; '
            'leave it out, or train from video.'
        )
    for split, folder in folders.items():
        cfg[f'{split}_dataloader'].dataset = dict(
            type='CachedFeatures',
            folder=str(folder),
            dataset=cfg[f'{split}_dataloader'].dataset,
            preprocessor=preprocessor,
        )
    cfg.model.data_preprocessor.type = 'VideoOrFeaturesPreprocessor'
    return cfg
