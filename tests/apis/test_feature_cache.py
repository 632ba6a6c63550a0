"""Features from the cache train as videos do, and only where they belong."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from torch.testing import assert_close

from mmvidadapt.apis.data.cached_config import config_from_cache
from mmvidadapt.apis.data.feature_cache import (
    cache_features,
    plan,
)
from mmvidadapt.datasets.feature_cache.dataset import build_uncached
from mmvidadapt.datasets.feature_cache.files import open_shard
from tests.cached import VIDEOS, batch_of, build, config, fill

VJEPA = dict(type='VJEPA2', num_frames=3, tubelet_size=1)
PROBE = dict(pooler=dict(num_layers=1))


@pytest.mark.parametrize(
    'backbone',
    [
        {},
        dict(temporal=('conv',)),
        dict(trunk_dtype='bf16'),
        dict(type='AttentiveProbe', out_indices=(0, 1), **PROBE),
        dict(type='AttentiveProbe', time_positions=None, **PROBE),
        dict(VJEPA, out_type='attn_pool', **PROBE),
        dict(VJEPA, out_type='avg_featmap', out_indices=(1, 3)),
    ],
)
def test_cached_clips_score_as_videos_do(videos, tmp_path, backbone):
    cfg = config(videos, **backbone)
    video = build(cfg)
    assert fill(video, cfg, 'test', tmp_path, batch_size=2) == [2, 4, 5]
    from_cache = config_from_cache(cfg, dict(test=tmp_path))
    cached = build(from_cache)
    losses = []
    for model, source in ((video, cfg), (cached, from_cache)):
        data = batch_of(source, 'test', [1, 3])
        scores = model.test_step({k: list(v) for k, v in data.items()})
        data = model.data_preprocessor(data, True)
        # One view each, as in training.
        data['inputs'] = data['inputs'][:, :1]
        loss = model(**data, mode='loss')['loss_cls']
        loss.backward()
        losses.append((loss, torch.stack([s.pred_score for s in scores])))
    assert_close(losses[1], losses[0], rtol=1e-3, atol=1e-4)
    grads = [p.grad for p in video.parameters() if p.requires_grad]
    others = [p.grad for p in cached.parameters() if p.requires_grad]
    largest = max(grad.abs().max() for grad in grads).item()
    assert_close(others, grads, rtol=0, atol=5e-3 * largest)


def test_labels_are_those_that_the_pipeline_leaves(videos, tmp_path):
    cfg = config(videos)
    pipeline = cfg.train_dataloader.dataset.pipeline
    swap = dict(type='Flip', flip_ratio=1.0, flip_label_map={0: 1, 1: 0})
    pipeline.insert(3, swap)
    fill(build(cfg), cfg, 'train', tmp_path)
    source = config_from_cache(cfg, dict(train=tmp_path))
    source.train_dataloader.dataset.indices = [4, 0, 2]
    samples = batch_of(source, 'train', range(3))['data_samples']
    assert [int(sample.gt_label) for sample in samples] == [0, 1, 2]


def test_an_interrupted_cache_goes_on(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    whole, halted = tmp_path / 'whole', tmp_path / 'halted'
    assert fill(model, cfg, 'train', whole) == [1, 2, 3, 4, 5]
    meta = plan(model, cfg, 'train')
    steps = cache_features(model, cfg, 'train', halted, meta, batch_size=3)
    assert next(steps) == 3
    steps.close()
    with pytest.raises(ValueError, match='holds 3 of 5 videos.*again'):
        batch_of(config_from_cache(cfg, dict(train=halted)), 'train', [0])
    assert fill(model, cfg, 'train', halted, batch_size=2) == [5]
    for kind in meta.shapes:  # random crops, yet the same
        for i in range(VIDEOS):
            one, other = (
                open_shard(f, kind, i, meta) for f in (whole, halted)
            )
            assert np.array_equal(one[i], other[i]) and one[i].any()
    assert fill(model, cfg, 'train', halted) == []


def test_several_passes_hold_several_draws(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    meta = plan(model, cfg, 'train', passes=3)
    assert (
        meta.rows == 15 and meta.bytes == 3 * plan(model, cfg, 'train').bytes
    )
    assert plan(model, cfg, 'test', passes=3).passes == 1  # nothing is drawn
    assert list(cache_features(model, cfg, 'train', tmp_path, meta))[-1] == 15
    one = tmp_path / 'one'
    fill(model, cfg, 'train', one)
    source = config_from_cache(cfg, dict(train=tmp_path))
    dataset = DATASETS.build(source.train_dataloader.dataset)
    assert len(dataset) == VIDEOS
    np.random.seed(0)
    rows = [dataset[4]['inputs'].numpy().tobytes() for _ in range(30)]
    assert len(set(rows)) == 3
    [first] = batch_of(config_from_cache(cfg, dict(train=one)), 'train', [4])[
        'inputs'
    ]
    assert first.numpy().tobytes() in rows  # the first pass is the only one
    labels = {int(dataset[3]['data_samples'].gt_label) for _ in range(9)}
    assert labels == {0}
    with pytest.raises(ValueError, match='passes=0: give at least 1'):
        plan(model, cfg, 'train', passes=0)


def test_parts_of_clips_are_erased_while_they_are_cached(videos, tmp_path):
    cfg = config(videos)
    cfg.train_dataloader.dataset.pipeline.pop(3)  # RandomCrop
    sample = dict(num_clips=1, test_mode=True)
    cfg.train_dataloader.dataset.pipeline[1].update(sample)
    assert not plan(build(cfg), cfg, 'train').random
    erasing = dict(type='VideoRandomErasing', prob=1.0)
    cfg.model.data_preprocessor.blending = erasing
    model, rows = build(cfg), []
    meta = plan(model, cfg, 'train', passes=2)
    assert meta.random and meta.passes == 2
    assert not plan(model, cfg, 'test', passes=2).random
    for size in (1, 3):  # the same, however many at a time
        out = tmp_path / str(size)
        list(cache_features(model, cfg, 'train', out, meta, batch_size=size))
        rows.append(np.array(open_shard(out, 'maps', 0, meta)))
    np.testing.assert_allclose(*rows, rtol=0, atol=2e-3)
    assert np.abs(rows[0][:VIDEOS] - rows[0][VIDEOS:]).max() > 0.1
    source = config_from_cache(cfg, dict(train=out))
    assert 'blending' not in source.model.data_preprocessor
    assert len(batch_of(source, 'train', [0, 1])['inputs']) == 2


def test_a_trunk_in_half_precision_is_nearly_the_same(videos, tmp_path):
    cfg = config(videos)
    model, rows = build(cfg), []
    for precision in ('float32', 'bfloat16'):
        meta = plan(model, cfg, 'test', precision=precision)
        assert meta.precision == precision
        out = tmp_path / precision
        list(cache_features(model, cfg, 'test', out, meta))
        rows.append(np.array(open_shard(out, 'maps', 0, meta)))
    largest = np.abs(rows[0]).max()
    difference = np.abs(rows[1] - rows[0]).max()
    assert 1e-4 * largest < difference < 0.05 * largest
    with pytest.raises(ValueError, match='precision=.*float32.*bfloat16'):
        list(cache_features(model, cfg, 'test', tmp_path / 'float32', meta))
    with pytest.raises(ValueError, match='precision.*float8'):
        plan(model, cfg, 'test', precision='float8')


def test_labels_of_several_numbers_are_kept(videos, tmp_path):
    cfg = config(videos)
    dataset = cfg.test_dataloader.dataset
    lines = [f'{i}.mp4 {i % 3} {(i + 1) % 3}\n' for i in range(VIDEOS)]
    (tmp_path / 'list.txt').write_text(''.join(lines))
    dataset.update(ann_file=str(tmp_path / 'list.txt'))
    dataset.update(multi_class=True, num_classes=3)
    fill(build(cfg), cfg, 'test', tmp_path / 'cache')
    cached = config_from_cache(cfg, dict(test=tmp_path / 'cache'))
    for source in (cfg, cached):
        samples = batch_of(source, 'test', [1, 2])['data_samples']
        labels = torch.stack([sample.gt_label for sample in samples])
        assert_close(labels, torch.tensor([[0.0, 1, 1], [1, 0, 1]]))


def test_many_shards_hold_what_one_holds(videos, tmp_path, monkeypatch):
    cfg = config(videos)
    model, rows = build(cfg), []
    for name, size in (('one', 2**30), ('many', 2**14)):
        monkeypatch.setattr(
            'mmvidadapt.apis.data.feature_cache.SHARD_BYTES', size
        )
        fill(model, cfg, 'test', tmp_path / name)
        source = config_from_cache(cfg, dict(test=tmp_path / name))
        rows.append(batch_of(source, 'test', range(VIDEOS))['inputs'])
    assert len(list((tmp_path / 'many').glob('maps-*.npy'))) > 1
    assert_close(rows[0], rows[1], rtol=0, atol=0)


def test_fewer_layers_and_no_motion_read_the_same_cache(videos, tmp_path):
    fill(build(config(videos)), config(videos), 'test', tmp_path)
    fewer = config(videos, temporal=('conv',), decoder_num_layers=1)
    source = config_from_cache(fewer, dict(test=tmp_path))
    data = source.test_dataloader.dataset
    data.update(decoder_num_layers=1, motion=False)
    whole, model = build(config(videos)), build(source)
    model.load_state_dict(  # the same trunk
        {k: v for k, v in whole.state_dict().items() if 'decoder' not in k},
        strict=False,
    )
    scores = []
    for cfg, preprocessor in ((fewer, whole), (source, model)):
        data = preprocessor.data_preprocessor(batch_of(cfg, 'test', [2]))
        scores.append(model(data['inputs'], stage='head'))
    assert_close(scores[1], scores[0], rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match='layers=2.*layers=3'):
        dataset = source.test_dataloader.dataset
        DATASETS.build({**dataset, 'decoder_num_layers': 3})


def test_a_cache_of_another_trunk_is_refused(videos, tmp_path):
    cfg = config(videos)
    fill(build(cfg), cfg, 'test', tmp_path)
    source = config_from_cache(cfg, dict(test=tmp_path))
    data = batch_of(source, 'test', [0])
    other = build(source, seed=1)
    theirs, ours = build(cfg).backbone.trunk_key(), other.backbone.trunk_key()
    with pytest.raises(ValueError, match=f'{theirs[:12]}.*{ours[:12]}'):
        other.test_step(data)
    wider = config_from_cache(config(videos, num_frames=4), {})
    with pytest.raises(ValueError, match=r'have \d+ numbers.*reads \d+'):
        build(wider).backbone(data['inputs'][0])
    tuned = config(videos, full_finetune=True)
    with pytest.raises(ValueError, match='frozen trunk'):
        build(tuned).backbone(data['inputs'][0])
    with pytest.raises(ValueError, match='EVL with a trained trunk'):
        plan(build(tuned), tuned, 'test')
    with torch.no_grad():  # a changed trunk is another trunk
        same = build(source)
        same.test_step(batch_of(source, 'test', [0]))
        same.backbone.class_embedding += 1
        with pytest.raises(ValueError, match='Load the weights'):
            same.test_step(batch_of(source, 'test', [0]))


def test_features_read_otherwise_are_others(videos):
    def key(**given):
        model = build(config(videos, type='AttentiveProbe', **given))
        return model.backbone.trunk_key()

    dialect = dict(pre_norm=True, act='quick_gelu', eps=1e-5, patch_bias=False)
    same = key(), key(time_positions=None), key(out_indices=(1,))
    assert len(set(same)) == 1  # positions in time are added afterwards
    others = key(out_indices=(0,)), key(dialect=dict(dialect, eps=1e-6))
    assert len({*same, *others}) == 3


def test_a_probe_reads_what_was_cached_for_evl(videos, tmp_path):
    cfg = config(videos)
    probe = config(videos, type='AttentiveProbe')
    evl, model = build(cfg), build(probe)
    torch.nn.init.zeros_(evl.backbone.conv1.bias)  # as image weights leave it
    trunk = evl.backbone.trunk()
    del trunk['conv1.bias']
    model.backbone.load_state_dict(trunk, strict=False)
    assert model.backbone.trunk_key() == evl.backbone.trunk_key()
    fill(evl, cfg, 'test', tmp_path)
    source = config_from_cache(probe, dict(test=tmp_path))
    source.test_dataloader.dataset.update(decoder_num_layers=1, motion=False)
    scores = []
    for data in (probe, source):
        preprocessor = build(data).data_preprocessor
        batch = preprocessor(batch_of(data, 'test', [1, 3]))
        scores.append(model(batch['inputs'], stage='head'))
    assert_close(scores[1], scores[0], rtol=1e-3, atol=1e-3)


def test_a_cache_of_other_data_is_refused(videos, tmp_path):
    cfg = config(videos)
    model = build(cfg)
    fill(model, cfg, 'test', tmp_path)
    source = config_from_cache(cfg, dict(test=tmp_path))
    dataset = source.test_dataloader.dataset
    dataset.dataset.pipeline[1].clip_len = 4
    with pytest.raises(ValueError, match='data=.* but data=.*another folder'):
        DATASETS.build(dataset)
    cfg.model.data_preprocessor.mean = [0.0] * 3
    meta = plan(model, cfg, 'test')
    with pytest.raises(ValueError, match='data=.* but data='):
        next(cache_features(model, cfg, 'test', tmp_path, meta))
    with pytest.raises(FileNotFoundError, match='no feature cache'):
        DATASETS.build({**dataset, 'folder': str(tmp_path / 'none')})


def test_short_videos_have_as_many_views_as_others(videos):
    """Of eight frames, eight in three equal test clips; one is enough."""
    described = config(videos).test_dataloader.dataset
    described.pipeline[1].update(clip_len=8, frame_interval=2)
    assert len(DATASETS.build(described)[0]['inputs']) == 1
    assert len(build_uncached(described)[0]['inputs']) == 3
