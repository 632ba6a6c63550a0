"""Three commands: prepare own videos, train, test."""

import csv
import json
import re

import pytest
from mmengine.config import Config

from mmvidadapt.datasets.prepare import check_videos
from mmvidadapt.weights.adapter_file import read_adapter
from tests import films

from .processes import call

TINY = (
    '--img-size=16',
    '--cfg-options',
    'model.backbone.arch=tiny',
    'model.backbone.pretrained=None',
    'model.cls_head.in_channels=32',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'val_dataloader.persistent_workers=False',
    'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False',
)


@pytest.fixture
def folder(tmp_path):
    """Write eight videos of two classes and four people; one is damaged."""
    frames = films.film(8)
    for i in range(8):
        name = f'{["walk", "run"][i % 2]}/p{i // 2}_{i}.mp4'
        films.encode(tmp_path / 'src' / name, frames[: 8 - i % 5] * (1 + i))
    (tmp_path / 'src/run/p0_bad.mp4').write_text('no video')
    return tmp_path / 'src'


def prepare(monkeypatch, *args):
    call(monkeypatch, 'prepare_data.py', *args)


def test_own_videos_to_a_trained_model(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'my data'
    args = ('--group-pattern', r'/p(\d)', '--split', 0.5, 0.25, 0.25)
    args += ('--epochs', 1, '--batch-size', 2, *TINY)
    prepare(monkeypatch, 'folder', folder, out, *args)
    printed = capsys.readouterr().out
    assert '8 can be decoded, 1 are left out' in printed
    assert '- `run/p0_bad.mp4`: ' in printed
    assert '1 epochs of 2 steps with 2 clips each' in printed
    people = [
        set(re.findall(r'/(p\d)', (out / f'{split}.txt').read_text()))
        for split in ('train', 'val', 'test')
    ]
    assert sorted(map(len, people)) == [1, 1, 2]
    assert set.union(*people) == {'p0', 'p1', 'p2', 'p3'}
    config = out / 'aim_vitb16.py'
    assert f"Train: python tools/train.py '{config}'\n" in printed
    cfg, text = Config.fromfile(config), config.read_text()
    assert f', for the videos of {folder}.\n# - 1 epochs of 2 steps' in text
    assert f"'{cfg.work_dir}/epoch_1.pth'" in printed
    assert cfg.work_dir.endswith('/my data/aim_vitb16')
    assert cfg.model.cls_head.num_classes == 2
    work = tmp_path / 'work'
    call(monkeypatch, 'train.py', config, '--work-dir', work)
    saved = work / 'epoch_1.pth'
    call(monkeypatch, 'test.py', config, saved, '--work-dir', work / 'test')
    metrics = json.loads(next((work / 'test').rglob('2*.json')).read_text())
    assert 0 <= metrics['acc/top1'] <= 1


def test_a_second_run_goes_on(folder, tmp_path, monkeypatch, capsys):
    for words in ('8 can be decoded', '8 of 9 videos were looked at before'):
        prepare(monkeypatch, 'folder', folder, tmp_path / 'out')
        assert words in capsys.readouterr().out


def test_the_seed_and_the_fold_decide_the_split(folder, tmp_path, monkeypatch):
    def tested(*extra):
        args = ('--group-pattern', r'/p(\d)', *extra, *TINY)
        prepare(monkeypatch, 'folder', folder, tmp_path / 'out', *args)
        return (tmp_path / 'out/test.txt').read_text()

    first = tested('--folds', 4, '--fold', 0)
    assert tested('--folds', 4, '--fold', 0) == first
    assert tested('--folds', 4, '--fold', 1) != first
    assert tested('--folds', 4, '--seed', 1) != first


def test_runs_on_other_lists_are_not_overwritten_silently(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    args = ('folder', folder, 'out', '--folds', 4, *TINY)
    for extra, fold, warned in (
        ((), 0, False),
        (('--fold', 1), 1, False),
        (('--fold', 1), 1, False),  # the same lists
        (('--fold', 1, '--seed', 1), 1, True),
    ):
        prepare(monkeypatch, *args[:5], *extra, *args[5:])
        cfg = Config.fromfile('out/aim_vitb16.py')
        assert cfg.work_dir == f'work_dirs/out/aim_vitb16_fold{fold}'
        (tmp_path / cfg.work_dir).mkdir(parents=True, exist_ok=True)
        printed = capsys.readouterr().out
        assert (f'{cfg.work_dir} holds a run' in printed) == warned
        assert f'{cfg.work_dir}/epoch_100.pth' in printed


def test_a_table_and_a_list(folder, tmp_path, monkeypatch, capsys):
    paths = sorted(folder.rglob('p*_?.mp4'))
    with open(tmp_path / 'clips.csv', 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['clip', 'what', 'who'])
        writer.writerows(
            [p.relative_to(folder), p.parent.name, p.name[:2]] for p in paths
        )
    args = ('--root', folder, '--label-column', 'what')
    args += ('--group-column', 'who', '--method', 'evl')
    out = tmp_path / 'out'
    prepare(monkeypatch, 'csv', tmp_path / 'clips.csv', out, *args)
    assert (out / 'classes.txt').read_text() == 'run\nwalk\n'
    assert Config.fromfile(out / 'evl_vitb16.py').model.backbone.type == 'EVL'
    lines = [f'{p.relative_to(folder)} {i % 2}\n' for i, p in enumerate(paths)]
    (tmp_path / 'list.txt').write_text(''.join(lines))
    (tmp_path / 'names.txt').write_text('up\ndown\n')
    args = ('--root', folder, '--classes', tmp_path / 'names.txt')
    prepare(monkeypatch, 'list', tmp_path / 'list.txt', out, *args)
    assert (out / 'classes.txt').read_text() == 'up\ndown\n'
    capsys.readouterr()


def write_table(folder, path, head, *cells):
    """Write a table of the clips, with a cell or several for each in turn."""
    paths = sorted(folder.rglob('p*_?.mp4'))
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['path', *head])
        writer.writerows(
            [p.relative_to(folder), *cells[i % len(cells)]]
            for i, p in enumerate(paths)
        )


MANY = (['label'], ['run;jump'], ['run'], [';'], ['fly; run'])
TASKS = (['verb', 'noun'], ['cut', 'lid'], ['wash', ''], ['cut', 'cup'])
OTHER = (['label'], ['run'], ['other'], ['other'])
COLUMNS = ('--label-column', 'verb', '--label-column', 'noun')


@pytest.mark.parametrize(
    ('cells', 'extra', 'metric'),
    [
        (MANY, (), 'acc/mean_average_precision'),
        (TASKS, COLUMNS, 'acc/noun_mean1'),
        (OTHER, ('--false-alarm-rate', 0.5), 'other/false_alarms'),
    ],
    ids=['several', 'tasks', 'other'],
)
def test_clips_with_other_labels(
    cells, extra, metric, folder, tmp_path, monkeypatch, capsys
):
    write_table(folder, tmp_path / 'clips.csv', *cells)
    out, work = tmp_path / 'out', tmp_path / 'work'
    args = ('--root', folder, *extra, '--split', 0.5, 0.5, 0)
    args += ('--epochs', 1, '--batch-size', 3, *TINY)
    prepare(monkeypatch, 'csv', tmp_path / 'clips.csv', out, *args)
    config = out / 'aim_vitb16.py'
    call(monkeypatch, 'train.py', config, '--work-dir', work)
    test = ('--work-dir', work / 'test')
    call(monkeypatch, 'test.py', config, work / 'epoch_1.pth', *test)
    metrics = json.loads(next((work / 'test').rglob('2*.json')).read_text())
    assert 0 <= metrics[metric] <= 1
    adapter = read_adapter(work / 'epoch_1.adapter.safetensors')
    names = (out / 'classes.txt').read_text().splitlines()
    assert adapter.classes == names
    stored = adapter.metrics.get('other/threshold')  # that was tested
    assert stored == metrics.get('other/threshold')
    assert (stored is None) == (cells is not OTHER)
    capsys.readouterr()


def test_mistakes_are_one_line(folder, tmp_path, monkeypatch):
    (tmp_path / 'clips.csv').write_text('path,label\n')
    own = tmp_path / 'val.txt'
    own.write_text('a.mp4 0\n')
    for args, words in (
        (('folder', tmp_path / 'none', tmp_path), 'There is no video in'),
        (('list', tmp_path / 'none', tmp_path), 'No such file'),
        (('folder', folder, tmp_path, '--method', 'aimm'), "'aimm' has no"),
        (('hmdb51', folder, tmp_path), 'There is no file'),
        (('csv', tmp_path / 'clips.csv', tmp_path), 'no line below'),
        (('list', own, tmp_path), 'val.txt is read and would be written'),
    ):
        with pytest.raises(SystemExit, match=f'error: .*{words}'):
            prepare(monkeypatch, *args)


@pytest.mark.parametrize(
    ('args', 'words'),
    [
        (('--arch', 'vit'), "--arch 'vit': aim has"),
        (('--batch-size', 0), '--batch-size 0: give 1 or more'),
        (('--gpus', 0), '--gpus 0: give'),
        (('--epochs', 0), '--epochs 0: give'),
        (('--img-size', -1), '--img-size -1: give'),
        (('--folds', 2), '--folds 2 --fold 0: give'),
        (('--num-workers', -1), 'num_workers=-1: give'),
    ],
)
def test_mistakes_show_before_videos_are_decoded(
    args, words, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(check_videos, 'check_video', lambda *_: 1 / 0)
    with pytest.raises(SystemExit, match=f'error: {words}'):
        prepare(monkeypatch, 'folder', folder, tmp_path / 'out', *args)
    assert not (tmp_path / 'out').exists()


def test_a_papers_data_set(folder, tmp_path, monkeypatch, capsys):
    (folder / 'labels.json').write_text('{"Walking": "0"}')
    items = [dict(id=i, template='Walking') for i in ('p0_0', 'p0_bad', 'x')]
    for split in ('train', 'validation'):
        (folder / f'{split}.json').write_text(json.dumps(items))
    prepare(monkeypatch, 'ssv2', folder, tmp_path / 'out')
    printed = capsys.readouterr().out
    assert 'train: 1 of 3 videos (33.3%), 1 missing, 1 unreadable' in printed
    assert '1 classes, but the data set has 174.' in printed
    lost = (tmp_path / 'out/sthv2_val_lost.txt').read_text()
    assert [line.split('\t')[0] for line in lost.splitlines()] == [
        'x',
        'run/p0_bad.mp4',
    ]
