"""What a cache refuses, and what it makes good."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from torch.testing import assert_close

from mmvidadapt.apis.data.cached_config import config_from_cache
from mmvidadapt.apis.data.feature_cache import (
    cache_features,
    free_space,
    plan,
)
from mmvidadapt.datasets.feature_cache.files import META, CacheMeta
from mmvidadapt.trunks.cached.rows import pack, unpack
from tests.cached import VIDEOS, batch_of, build, config, fill


@pytest.fixture
def listed(videos, tmp_path):
    """A config whose annotations may be changed."""
    shutil.copy(videos / 'list.txt', tmp_path)
    cfg = config(videos)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.ann_file = str(tmp_path / 'list.txt')
    return cfg


def rows(cfg, split='test'):
    return batch_of(cfg, split, range(VIDEOS))['inputs']


def shards(folder):
    return sorted([*folder.glob('maps-*'), *folder.glob('attention-*')])


def test_what_is_not_cached_is_read_from_video(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    fill(model, cfg, 'test', tmp_path)
    mixed = config_from_cache(cfg, dict(test=tmp_path))
    torch.manual_seed(0)
    wanted = batch_of(cfg, 'train', [1, 2])
    torch.manual_seed(0)
    copies = {k: list(v) for k, v in wanted.items()}
    found = build(mixed).data_preprocessor(copies)['inputs']
    assert found.dtype == torch.float32
    assert_close(found, model.data_preprocessor(wanted)['inputs'])


def test_other_preprocessors_are_refused(videos):
    cfg = config(videos)
    cfg.model.data_preprocessor.blending = dict(type='MixupBlending')
    assert config_from_cache(cfg, dict(test='x'))
    with pytest.raises(ValueError, match='blending=.*MixupBlending.*pixels'):
        config_from_cache(cfg, dict(train='x'))
    cfg.model.data_preprocessor.type = 'Other'
    with pytest.raises(ValueError, match='preprocessor is Other'):
        config_from_cache(cfg, dict(test='x'))


def test_augmentation_is_noticed(videos):
    cfg = config(videos)
    model = build(cfg)
    assert plan(model, cfg, 'train').random
    assert not plan(model, cfg, 'test').random
    flip = dict(type='Flip', flip_ratio=0.5)  # a coin
    cfg.test_dataloader.dataset.pipeline.insert(3, flip)
    assert plan(model, cfg, 'test').random
    flip.update(flip_ratio=1.0)
    cfg.test_dataloader.dataset.pipeline[3] = flip
    assert not plan(model, cfg, 'test').random


def test_a_trunk_is_more_than_its_weights(videos):
    def key(dialect=None, **arch):
        sizes = dict(embed_dims=32, num_layers=2, num_heads=2, patch_size=8)
        arch = {**sizes, **arch}
        cfg = config(videos, arch=arch, dialect=dialect)
        return build(cfg).backbone.trunk_key()

    clip = dict(pre_norm=True, act='quick_gelu', eps=1e-5, patch_bias=True)
    assert key() == key(clip)
    others = [
        key(num_heads=4),
        key({**clip, 'act': 'gelu'}),
        key({**clip, 'eps': 1e-6}),
        key({**clip, 'pre_norm': False}),
    ]
    assert len({key(), *others}) == 5
    evl = build(config(videos)).backbone
    before = evl.trunk_key()
    evl.conv1.weight.data = evl.conv1.weight.data + 1
    assert evl.trunk_key() != before


def test_rows_of_two_trunks_are_refused(videos):
    evl = build(config(videos)).backbone
    sizes, keys = evl.pack_sizes(), [evl.trunk_key(), 'ab' * 32]
    maps, attention = torch.ones(sizes.maps), torch.ones(sizes.attention)
    batch = torch.stack([pack(maps, attention, key) for key in keys])
    unpack(batch[:1], sizes, keys[0])
    for order in (batch, batch.flip(0)):
        with pytest.raises(ValueError, match=f'abababab.*{keys[0][:12]}'):
            unpack(order, sizes, keys[0])


@pytest.mark.parametrize('wrap', ['plain', 'root', 'repeated'])
def test_changed_annotations_are_refused(listed, tmp_path, wrap):
    data = listed.test_dataloader.dataset
    if wrap == 'root':
        data.update(ann_file='list.txt', data_root=str(tmp_path))
    if wrap == 'repeated':
        data = dict(type='RepeatDataset', times=2, dataset=data)
        listed.test_dataloader.dataset = data
    model = build(listed)
    fill(model, listed, 'test', tmp_path / 'cache')
    source = config_from_cache(listed, dict(test=tmp_path / 'cache'))
    assert rows(source)
    path = tmp_path / 'list.txt'
    path.write_text(path.read_text().replace('3.mp4 0', '3.mp4 1'))
    with pytest.raises(ValueError, match='data=.* but data='):
        rows(source)
    with pytest.raises(ValueError, match='data=.* but data='):
        fill(model, listed, 'test', tmp_path / 'cache')


def test_what_differs_is_named(videos, tmp_path):
    cfg = config(videos, temporal=('conv',))
    fill(build(cfg), cfg, 'test', tmp_path)
    meta = plan(build(cfg), cfg, 'test', seed=3)
    with pytest.raises(ValueError, match='have seed=0, but seed=3'):
        next(cache_features(build(cfg), cfg, 'test', tmp_path, meta))
    every = config(videos)
    with pytest.raises(ValueError, match='have motion=False, but motion=True'):
        fill(build(every), every, 'test', tmp_path)
    text = (tmp_path / META).read_text()
    first = text.replace('"num_prefix_tokens": 1,', '')  # first edition
    assert first != text
    (tmp_path / META).write_text(first)
    assert CacheMeta.read(tmp_path).num_prefix_tokens == 1
    (tmp_path / META).write_text(text.replace('"seed": 0,', ''))
    with pytest.raises(ValueError, match=r'another version(.|\n)*again'):
        CacheMeta.read(tmp_path)


def test_the_seed_draws_the_clips(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    for seed in (0, 1):
        meta = plan(model, cfg, 'train', seed)
        out = tmp_path / str(seed)
        assert list(cache_features(model, cfg, 'train', out, meta))
    found = [
        rows(config_from_cache(cfg, dict(train=tmp_path / seed)), 'train')
        for seed in '01'
    ]
    assert not torch.equal(torch.stack(found[0]), torch.stack(found[1]))


def test_lost_files_are_made_again(videos, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'mmvidadapt.apis.data.feature_cache.SHARD_BYTES', 2**14
    )
    cfg = config(videos)
    model = build(cfg)
    fill(model, cfg, 'test', tmp_path)
    source = config_from_cache(cfg, dict(test=tmp_path))
    before, files = rows(source), shards(tmp_path)
    videos_of = plan(model, cfg, 'test').shard
    assert 1 < videos_of < VIDEOS
    for lose in ('unlink', 'empty', 'cut'):
        path = files[0]
        if lose == 'unlink':
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[: 200 * (lose == 'cut')])
        with pytest.raises(
            ValueError, match=rf"1 files .*{path.name}'.*again"
        ):
            rows(source)
        done = fill(model, cfg, 'test', tmp_path)
        assert len(done) == videos_of and done[-1] == VIDEOS
        assert_close(rows(source), before, rtol=0, atol=0)
    assert fill(model, cfg, 'test', tmp_path) == []
    (tmp_path / 'labels.npy').unlink()
    assert len(fill(model, cfg, 'test', tmp_path)) == VIDEOS


def test_its_description_is_whole_or_absent(videos, tmp_path, monkeypatch):
    cfg = config(videos)
    meta = plan(build(cfg), cfg, 'test')

    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr('os.replace', killed)
        with pytest.raises(KeyboardInterrupt):
            meta.write(tmp_path)
    assert not (tmp_path / META).exists()
    assert fill(build(cfg), cfg, 'test', tmp_path)[-1] == VIDEOS
    assert CacheMeta.read(tmp_path) == meta


def test_files_are_as_large_as_announced(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    fill(model, cfg, 'test', tmp_path)
    arrays = [np.load(path) for path in shards(tmp_path)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float16)}
    meta = plan(model, cfg, 'test')
    assert sum(array.nbytes for array in arrays) == meta.bytes
    headers = sum(path.stat().st_size for path in shards(tmp_path))
    assert headers - meta.bytes == 128 * len(arrays)


def test_a_full_disk_is_foreseen(videos, tmp_path, monkeypatch):
    cfg = config(videos)
    model = build(cfg)
    meta = plan(model, cfg, 'test')
    free = SimpleNamespace(free=meta.bytes - 1)
    monkeypatch.setattr('shutil.disk_usage', lambda _: free)
    out = tmp_path / 'not' / 'there'
    with pytest.raises(ValueError, match=f'need {meta.bytes:,} .*{out}'):
        free_space(out, [meta])
    fill(model, cfg, 'test', out)  # the rest of a resumed run is small
    assert free_space(out, [meta]) == free.free


def test_features_beyond_half_precision_are_refused(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    torch.nn.init.constant_(
        model.backbone.transformer.resblocks[1].mlp.c_proj.bias, 1e5
    )
    with pytest.raises(ValueError, match='Video 0 .*beyond half precision'):
        fill(model, cfg, 'test', tmp_path)
    source = config_from_cache(cfg, dict(test=tmp_path))
    with pytest.raises(ValueError, match='holds 0 of 5 videos'):
        DATASETS.build(source.test_dataloader.dataset)
