"""Features from the cache train as videos do, and only where they belong."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from torch.testing import assert_close

from mmvidadapt.apis.feature_cache import (
    cache_features,
    config_from_cache,
    plan,
)
from mmvidadapt.datasets.feature_cache import open_shard
from mmvidadapt.utils.video import write_video

VIDEOS, VIEWS, FRAMES = 5, 3, 3
PACK = dict(type='PackActionInputs')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Render a few videos and list them."""
    folder = tmp_path_factory.mktemp('videos')
    rng = np.random.default_rng(0)
    for i in range(VIDEOS):
        image = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        frames = [np.roll(image, i * t, 1) for t in range(8)]
        write_video(folder / f'{i}.mp4', frames, fps=8)
    lines = [f'{i}.mp4 {i % 3}\n' for i in range(VIDEOS)]
    (folder / 'list.txt').write_text(''.join(lines))
    return folder


def config(folder, **backbone):
    """A tiny EVL, one training view, three test views."""
    size = dict(type='Resize', scale=(16, 16), keep_ratio=False)
    shape = dict(type='FormatShape', input_format='NCTHW')

    def loader(*steps):
        decoded = [
            dict(type='DecordInit'),
            steps[0],
            dict(type='DecordDecode'),
        ]
        pipeline = [*decoded, *steps[1:], size, shape, PACK]
        dataset = dict(
            type='VideoDataset',
            ann_file=str(folder / 'list.txt'),
            data_prefix=dict(video=str(folder)),
            pipeline=pipeline,
        )
        return dict(batch_size=2, num_workers=0, dataset=dataset)

    sampling = dict(type='ExactSpanSampleFrames', clip_len=FRAMES)
    spread = dict(sampling, num_clips=VIEWS, test_mode=True)
    evl = dict(
        type='EVL',
        arch='tiny',
        img_size=16,
        num_frames=FRAMES,
        decoder_num_layers=2,
    )
    return Config(
        dict(
            model=dict(
                type='EVLRecognizer',
                backbone={**evl, **backbone},
                cls_head=dict(
                    type='EVLHead',
                    num_classes=3,
                    in_channels=32,
                    average_clips='prob',
                ),
                data_preprocessor=dict(
                    type='ActionDataPreprocessor',
                    mean=[120.0] * 3,
                    std=[60.0] * 3,
                    format_shape='NCTHW',
                ),
            ),
            train_dataloader=loader(
                sampling, dict(type='RandomCrop', size=28)
            ),
            test_dataloader=loader(spread),
        )
    )


def build(cfg, seed=0):
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model).eval()
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model


def fill(model, cfg, split, out, **kwargs):
    meta = plan(model, cfg, split)
    return list(cache_features(model, cfg, split, out, meta, **kwargs))


def batch_of(cfg, split, indices):
    dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    items = [dataset[i] for i in indices]
    return {k: [item[k] for item in items] for k in items[0]}


@pytest.mark.parametrize(
    'backbone', [{}, dict(temporal=('conv',)), dict(trunk_dtype='bf16')]
)
def test_cached_clips_score_as_videos_do(folder, tmp_path, backbone):
    cfg = config(folder, **backbone)
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


def test_labels_are_those_that_the_pipeline_leaves(folder, tmp_path):
    cfg = config(folder)
    pipeline = cfg.train_dataloader.dataset.pipeline
    swap = dict(type='Flip', flip_ratio=1.0, flip_label_map={0: 1, 1: 0})
    pipeline.insert(3, swap)
    fill(build(cfg), cfg, 'train', tmp_path)
    source = config_from_cache(cfg, dict(train=tmp_path))
    source.train_dataloader.dataset.indices = [4, 0, 2]
    samples = batch_of(source, 'train', range(3))['data_samples']
    assert [int(sample.gt_label) for sample in samples] == [0, 1, 2]


def test_an_interrupted_cache_goes_on(folder, tmp_path):
    cfg = config(folder)
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


def test_many_shards_hold_what_one_holds(folder, tmp_path, monkeypatch):
    cfg = config(folder)
    model, rows = build(cfg), []
    for name, size in (('one', 2**30), ('many', 2**14)):
        monkeypatch.setattr('mmvidadapt.apis.feature_cache.SHARD_BYTES', size)
        fill(model, cfg, 'test', tmp_path / name)
        source = config_from_cache(cfg, dict(test=tmp_path / name))
        rows.append(batch_of(source, 'test', range(VIDEOS))['inputs'])
    assert len(list((tmp_path / 'many').glob('maps-*.npy'))) > 1
    assert_close(rows[0], rows[1], rtol=0, atol=0)


def test_fewer_layers_and_no_motion_read_the_same_cache(folder, tmp_path):
    fill(build(config(folder)), config(folder), 'test', tmp_path)
    fewer = config(folder, temporal=('conv',), decoder_num_layers=1)
    source = config_from_cache(fewer, dict(test=tmp_path))
    data = source.test_dataloader.dataset
    data.update(decoder_num_layers=1, motion=False)
    whole, model = build(config(folder)), build(source)
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


def test_a_cache_of_another_trunk_is_refused(folder, tmp_path):
    cfg = config(folder)
    fill(build(cfg), cfg, 'test', tmp_path)
    source = config_from_cache(cfg, dict(test=tmp_path))
    data = batch_of(source, 'test', [0])
    other = build(source, seed=1)
    theirs, ours = build(cfg).backbone.trunk_key(), other.backbone.trunk_key()
    with pytest.raises(ValueError, match=f'{theirs[:12]}.*{ours[:12]}'):
        other.test_step(data)
    wider = config_from_cache(config(folder, num_frames=4), {})
    with pytest.raises(ValueError, match=r'have \d+ numbers.*reads \d+'):
        build(wider).backbone(data['inputs'][0])
    tuned = config(folder, full_finetune=True)
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


def test_a_cache_of_other_data_is_refused(folder, tmp_path):
    cfg = config(folder)
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
