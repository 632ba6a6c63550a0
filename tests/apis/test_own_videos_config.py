"""A config for own videos, from whatever method has one for Kinetics-400."""

import math
from pathlib import Path

import pytest
from mmengine.config import Config

from mmvidadapt.apis.train.config import list_configs, load_config
from mmvidadapt.apis.train.config_variables import SCRATCH, print_config
from mmvidadapt.apis.train.own_videos_config import (
    Choices,
    explain,
    find_recipe,
    own_config,
    sided,
    work_dir,
)
from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.datasets.prepare.video_folders import Clip

NAMES = [
    name
    for name in list_configs()
    if name.endswith('_k400') and '/pretrain_' not in name
]
# One of every folder.
RECIPES = list({name.partition('/')[0]: name for name in NAMES}.values())


def own(
    num_train=104,
    num_val=20,
    num_test=16,
    frames=80,
    classes='abcdefg',
    **kind,
):
    """Data of which only the numbers matter."""
    numbers = dict(train=num_train, val=num_val, test=num_test)
    splits = {s: [Clip('a.mp4', 'a')] * n for s, n in numbers.items()}
    facts = {'a.mp4': VideoFacts(frames, 176, 132)}
    return OwnData(Path('videos'), list(classes), splits, facts, [], **kind)


def derive(data=None, options=None, **choices):
    return own_config(
        data or own(), Path('lists'), Choices(**choices), options
    )


@pytest.mark.parametrize('name', RECIPES)
def test_every_method_has_one(name, tmp_path):
    folder, _, stem = name.partition('/')
    cfg = derive(method=folder, arch=stem[: -len('_k400')])
    recipe = load_config(name)
    assert cfg.model.cls_head.pop('num_classes') == 7
    assert recipe.model.cls_head.pop('num_classes') == 400
    assert cfg.model == recipe.model
    for split in ('train', 'val', 'test'):
        data = cfg[f'{split}_dataloader'].dataset
        assert data.ann_file == str(Path('lists').absolute() / f'{split}.txt')
        assert data.data_prefix.video == str(Path('videos').absolute())
        assert data.pipeline == cfg[f'{split}_pipeline']
        assert data.pipeline[1].type == 'MidpointUniformSample'
        assert data.get('test_mode', False) == (split != 'train')
    assert cfg.train_cfg.max_epochs >= 40
    ends = [s.end for s in cfg.param_scheduler if 'end' in s]
    assert not ends or ends[-1] == cfg.train_cfg.max_epochs
    text = print_config(cfg, SCRATCH)
    (tmp_path / 'flat.py').write_text(text)
    flat, derived = Config.fromfile(tmp_path / 'flat.py'), cfg.to_dict()
    assert set(derived) - set(flat) <= SCRATCH
    assert all(derived[key] == value for key, value in flat.to_dict().items())
    assert 'data/kinetics' not in text
    for once in ('train.txt', 'val.txt', 'test.txt', "'videos'", 'abcdefg'):
        assert text.count(once) <= 1
    for use in ('pipeline=train_pipeline', 'ann_file=ann_file_test'):
        assert use in text
    assert text.count('metainfo=metainfo') == 3


def test_methods_and_architectures_are_found_by_their_names():
    for name in NAMES:
        folder, _, stem = name.partition('/')
        assert find_recipe(folder, stem[: -len('_k400')]) == name
    assert find_recipe('aim', 'vitb16_16f') == 'aim/vitb16_16f_k400'
    assert find_recipe('vpt', 'vitb16') == 'petl/vpt_vitb16_k400'
    assert find_recipe('st_adapter', 'vitb16').startswith('petl/st_adapter')
    with pytest.raises(ValueError, match="'alm' has no .*adaptformer, aim, "):
        find_recipe('alm', 'vitb16')
    with pytest.raises(ValueError, match="'vitb8': aim has swinb, vitb16, "):
        find_recipe('aim', 'vitb8')


def test_the_rate_follows_the_batch():
    """AIM: 3e-4 for 64 clips. ViViT: SGD at 0.1 for 64."""
    for batch, gpus, factor in ((64, 1, 1), (4, 4, 0.5), (4, 1, 0.25)):
        cfg = derive(batch_size=batch, gpus=gpus)
        assert cfg.optim_wrapper.optimizer.lr == pytest.approx(3e-4 * factor)
        assert cfg.train_dataloader.batch_size == batch
        assert cfg.auto_scale_lr.base_batch_size == batch * gpus
    lr = load_config('vivit/b16x2_k400').optim_wrapper.optimizer.lr
    cfg = derive(method='vivit', arch='b16x2', batch_size=16)
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(lr / 4)


def test_accumulated_steps_count_in_the_batch():
    """EVL ViT-L: 4e-4 for 64 clips, four times accumulated."""
    cfg = derive(method='evl', arch='vitl14', batch_size=64)
    assert 'accumulative_counts' not in cfg.optim_wrapper
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(4e-4 / 2)


@pytest.mark.parametrize(
    'num_train, batch, epochs',
    [
        *((9, 1, 100), (40, 4, 100), (104, 8, 100)),
        *((320, 8, 50), (960, 8, 30), (96_000, 8, 30)),
    ],
)
def test_small_data_has_small_batches_and_more_epochs(
    num_train, batch, epochs
):
    cfg = derive(own(num_train))
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.train_cfg.max_epochs == epochs
    warm, cosine = cfg.param_scheduler
    assert warm.end == pytest.approx(2.5 * epochs / 30, abs=1e-3)
    assert (cosine.T_max, cosine.end) == (epochs, epochs)
    steps = math.ceil(num_train / batch)
    assert cfg.default_hooks.logger.interval == min(20, steps)
    assert epochs / cfg.train_cfg.val_interval <= 20 or epochs == 30
    assert cfg.default_hooks.checkpoint.interval == cfg.train_cfg.val_interval


def test_epochs_may_be_chosen():
    cfg = derive(method='bevt', arch='timesformer', epochs=60)
    recipe = load_config('bevt/timesformer_k400')
    factor = 60 / recipe.train_cfg.max_epochs
    assert [
        s.milestones for s in cfg.param_scheduler if 'milestones' in s
    ] == [
        [round(stone * factor) for stone in s.milestones]
        for s in recipe.param_scheduler
        if 'milestones' in s
    ]
    assert derive(epochs=3).param_scheduler[1].T_max == 3


def test_long_videos_are_seen_in_stretches():
    recipe = load_config('aim/vitb16_k400')
    for kept in (derive(own(frames=300)), derive(sampling='dense')):
        assert kept.train_pipeline[1] == recipe.train_pipeline[1]
        assert kept.test_pipeline[1] == recipe.test_pipeline[1]
    whole = derive(own(frames=300), sampling='whole')
    assert whole.test_pipeline[1] == dict(
        type='MidpointUniformSample', clip_len=8, test_mode=True
    )


def test_left_is_not_mirrored():
    names = ['left', 'turn Left!', 'rotate_ccw', 'anti-clockwise', 'Right-up']
    assert sided([*names, 'leftover', 'bright', 'upright', 'cwm']) == names
    plain, side = own(), own(classes=['left', 'right'])

    def flips(cfg):
        return [s.type for s in cfg.train_pipeline].count('Flip')

    assert flips(derive(plain)) == flips(derive(side, flip=True)) == 1
    assert flips(derive(side)) == flips(derive(plain, flip=False)) == 0
    said = ' '.join(explain(derive(side), side, Choices()))
    assert 'No mirroring, for the sake of left, right' in said


def test_the_size_may_be_chosen():
    cfg = derive(img_size=112)
    assert cfg.model.backbone.img_size == 112
    sizes = [
        step[key]
        for step in cfg.train_pipeline + cfg.test_pipeline
        for key in ('scale', 'crop_size')
        if key in step
    ]
    assert sizes == [(-1, 128), (112, 112), (-1, 112), 112]
    with pytest.raises(ValueError, match='113'):
        derive(img_size=113)


def test_an_empty_split_is_replaced_by_the_other():
    for empty, full in (('val', 'test'), ('test', 'val')):
        cfg = derive(own(**{f'num_{empty}': 0}))
        for split in ('val', 'test'):
            name = Path(cfg[f'{split}_dataloader'].dataset.ann_file).stem
            assert name == full
    for numbers in (dict(num_train=0), dict(num_val=0, num_test=0)):
        with pytest.raises(ValueError, match='nothing to train .*--split'):
            derive(own(**numbers))


def test_few_classes_have_no_top_5():
    def topk(cfg):
        return cfg.test_evaluator.metric_options.top_k_accuracy.topk

    assert topk(derive(own(classes='abcdef'))) == (1, 5)
    assert topk(derive(own(classes='abcde'))) == (1,)


def test_options_have_the_last_word():
    options = {'model.backbone.drop_path_rate': 0.0, 'train_cfg.max_epochs': 7}
    cfg = derive(options=options)
    assert cfg.model.backbone.drop_path_rate == 0.0
    assert cfg.train_cfg.max_epochs == 7
    with pytest.raises(TypeError, match='misspelt'):
        derive(options={'model.backbone.misspelt': 1})
    cfg = derive(options={'train_pipeline.0.backend': 'pyav', 'work_dir': 'x'})
    loader = cfg.train_dataloader
    assert cfg.train_pipeline == loader.dataset.pipeline
    assert (loader.dataset.pipeline[0].backend, cfg.work_dir) == ('pyav', 'x')


def test_every_data_set_and_fold_has_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choices = Choices()
    assert work_dir(Path('data/mine'), choices) == (
        'work_dirs/data/mine/aim_vitb16'
    )
    folders = [
        work_dir(Path(lists), Choices(method, 'vitb16'), fold)
        for lists in ('data/mine', 'data/yours', 'mine', '/data/mine', '../a')
        for method in ('aim', 'evl')
        for fold in (None, 0, 1)
    ]
    assert len(set(folders)) == 5 * 2 * 3
    assert all(folder.startswith('work_dirs/') for folder in folders)
    assert not [folder for folder in folders if '..' in folder]
    same = (tmp_path / 'data/mine', Path('data/../data/mine'))
    assert {work_dir(lists, choices) for lists in same} == {folders[0]}
    cfg = own_config(own(), Path('data/mine'), choices, fold=1)
    assert cfg.work_dir == 'work_dirs/data/mine/aim_vitb16_fold1'


def test_a_warm_up_shorter_than_a_step_is_left_out():
    """2.5 of 30 epochs, of one epoch with 2 or with 13 steps."""
    kinds = [
        [
            s.type
            for s in derive(own(n), epochs=1, batch_size=8).param_scheduler
        ]
        for n in (16, 104)
    ]
    assert kinds == [['CosineAnnealingLR'], ['LinearLR', 'CosineAnnealingLR']]


def test_few_clips_on_another_trunk():
    """The same as by 22 options: sizes, pixels, crops, rates."""
    trunk = 'facebook/dinov2-small=trunk.pt'
    choices = dict(batch_size=4, img_size=98, few_clips=True, trunk=trunk)
    cfg = derive(**choices)
    kept = ('type', 'trunk', 'pretrained', 'img_size', 'num_frames')
    assert cfg.model.backbone == dict(
        zip(kept, ('AIM', 'facebook/dinov2-small', 'trunk.pt', 98, 8)),
        adapter_scale=1.0,
        drop_path_rate=0.1,
    )
    head, pixels = cfg.model.cls_head, cfg.model.data_preprocessor
    assert (head.in_channels, head.dropout_ratio) == (384, 0.2)
    assert (pixels.mean[0], pixels.std[2]) == (123.675, 57.375)
    crop = next(s for s in cfg.train_pipeline if 'area_range' in s)
    assert crop == dict(type='RandomResizedCrop', area_range=(0.6, 1.0))
    whole = dict(type='Resize', scale=(98, 98), keep_ratio=False)
    for steps in (cfg.val_pipeline, cfg.test_pipeline, cfg.train_pipeline):
        assert whole in steps
    assert cfg.train_pipeline[3] == dict(type='Resize', scale=(-1, 112))
    rates = cfg.optim_wrapper
    assert (rates.optimizer.lr, rates.clip_grad.max_norm) == (2e-4, 1.0)
    assert rates.paramwise_cfg.custom_keys.temporal_embedding.lr_mult == 10
    name = 'aim_dinov2-small_fold1'
    assert work_dir(Path('lists'), Choices(**choices), 1).endswith(name)
    other = derive(method='dualpath', few_clips=True)
    assert 'dropout_ratio' not in other.model.cls_head
    with pytest.raises(ValueError, match='98 x 98.*224 x 224'):
        derive(options={'model.backbone.img_size': 224}, **choices)


TASKS = [f'verb: {i}' for i in range(3)] + [f'noun: {i}' for i in range(7)]


@pytest.mark.parametrize('name', RECIPES)
def test_every_method_learns_several_tasks(name):
    folder, _, stem = name.partition('/')
    data = own(classes=TASKS, tasks=('verb', 'noun'))
    cfg = derive(data, method=folder, arch=stem[: -len('_k400')])
    head, old = cfg.model.cls_head, load_config(name).model.cls_head
    assert head.num_classes == dict(verb=3, noun=7)
    assert head.get('dropout_ratio') == old.get('dropout_ratio')
    pooler = cfg.model.backbone.get('pooler') or {}
    assert head.get('num_queries', 1) == pooler.get('num_queries', 1)
    assert (folder in ('vjepa2', 'attentive_probe')) == bool(pooler)
    for split in ('train', 'val', 'test'):
        data_set = cfg[f'{split}_dataloader'].dataset
        assert data_set.tasks == ('verb', 'noun')
        assert data_set.metainfo.classes == TASKS
    assert cfg.val_evaluator == dict(type='MultiTaskMetric', topk=(1, 5))
    said = ' '.join(explain(cfg, data, Choices()))
    assert '2 tasks, classes: 3 of verb, 7 of noun;' in said


@pytest.mark.parametrize('name', RECIPES)
def test_every_method_learns_several_labels(name):
    folder, _, stem = name.partition('/')
    asym = {'model.cls_head.loss_cls.type': 'mmpretrain.AsymmetricLoss'}
    for options in (None, asym):
        data = own(several=True)
        choices = dict(method=folder, arch=stem[: -len('_k400')])
        cfg = derive(data, options, **choices)
        head = cfg.model.cls_head
        assert (head.num_classes, head.multi_class) == (7, True)
        loss = asym[min(asym)] if options else 'BCELossWithLogits'
        assert head.loss_cls == dict(type=loss)
        assert 'label_smooth_eps' not in head
        loader = cfg.train_dataloader
        assert (loader.dataset.multi_class, loader.dataset.num_classes) == (
            True,
            7,
        )
    assert cfg.test_evaluator.metric_list == 'mean_average_precision'
    assert 'several labels' in ' '.join(explain(cfg, data, Choices()))


def test_a_class_other_has_a_threshold():
    data = own(classes=['a', 'Other', 'b'])
    cfg = derive(data, false_alarm_rate=0.1)
    chosen, given = cfg.val_evaluator[1], cfg.test_evaluator[1]
    metric = dict(type='OtherClassMetric', other='Other')
    assert chosen == dict(metric, false_alarm_rate=0.1)
    assert given == dict(metric, choose=False)
    assert cfg.val_evaluator[0].type == 'AccMetric'
    said = ' '.join(explain(cfg, data, Choices(false_alarm_rate=0.1)))
    assert 'on 0 clips of it so that at most 10 % are taken' in said
    assert ' With 10 or more it would mean something.' in said
    assert derive(data, other='b').val_evaluator[1].other == 'b'
    for plain in (derive(data, other=''), derive(own(several=True))):
        assert plain.val_evaluator.type == 'AccMetric'
    for wrong in (dict(other='c'), dict(data=own(several=True), other='a')):
        with pytest.raises(ValueError, match='--other .* none of the classes'):
            derive(**{'data': data, **wrong})
    with pytest.raises(ValueError, match='--false-alarm-rate 1.0: give'):
        Choices(false_alarm_rate=1.0).check()
