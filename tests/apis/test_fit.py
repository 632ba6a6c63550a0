"""From a folder of videos to a file and a report, on a small trunk."""

import logging

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis.fit import choose_trunk as choosing
from mmvidadapt.apis.fit import fitter as fitting
from mmvidadapt.apis.fit.choose_trunk import choose_trunk
from mmvidadapt.apis.fit.fit import fit, read_budget
from mmvidadapt.apis.fit.recipes import Recipe, choose_recipe, epochs_of
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.utils.video import write_video

TRUNK = 'facebook/dinov2-small'
TINY = Recipe(28, 4, 1, 6, 4, (1e-3, 1e-2), (0.05,), 2, ('Few clips.',))
PEOPLE = 'abcde'


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Render clips that drift to the left or to the right."""
    folder = tmp_path_factory.mktemp('own')
    rng = np.random.default_rng(0)
    for person in PEOPLE:
        image = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        for name, step in (('left', -3), ('right', 3)):
            (folder / name).mkdir(exist_ok=True)
            for i in range(2):
                frames = [
                    np.roll(image, step * t + 5 * i, 1) for t in range(8)
                ]
                write_video(folder / name / f'{person}_{i}.mp4', frames, fps=8)
    (folder / 'left' / 'z_0.mp4').write_bytes(b'no video')
    return folder


@pytest.fixture(scope='module')
def trunk(tmp_path_factory):
    """Write weights of a ViT-S/14."""
    torch.manual_seed(0)
    vit = MODELS.build(dict(type='ImageViT', trunk=TRUNK, img_size=28))
    path = tmp_path_factory.mktemp('trunk') / 'vit.pth'
    torch.save(vit.state_dict(), path)
    return f'{TRUNK}={path}'


def test_a_folder_becomes_a_file_and_a_report(
    videos, trunk, tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, 'choose_recipe', lambda *_: TINY)
    said, given = [], dict(group_pattern=r'/(\w)_', num_folds=3, processes=1)
    given.update(trunk=trunk, say=lambda text, **_: said.append(text))
    level = logging.root.manager.disable
    done = fit(videos, tmp_path, **given)
    assert logging.root.manager.disable == level
    text = '\n'.join(said)
    assert 'z_0.mp4' in text and '20 ' in text
    for word in (TRUNK, 'Few clips.', 'EVL lr', 'AttentiveProbe lr'):
        assert word in text
    assert 0 <= done.accuracy.low <= done.accuracy.value <= 1
    assert done.test is not None and done.test.clips >= 4
    page = done.report.read_text()
    assert 'left/z_0.mp4' in page and '--group-pattern' in page
    lists = {
        name: {
            line.split('/')[1][0]
            for line in (tmp_path / f'lists/{name}.txt').read_text().split()
            if '/' in line
        }
        for name in ('train', 'test')
    }
    assert not lists['train'] & lists['test']
    assert lists['train'] | lists['test'] == set(PEOPLE)
    config = Config.fromfile(done.config)
    classifier = Classifier(config, str(done.adapter), device='cpu')
    (found,) = classifier.video(videos / 'left' / 'a_0.mp4')
    assert found.top[0][0] in ('left', 'right')
    # Everything is there already: nothing is trained again.
    before = done.adapter.read_bytes()
    files = sorted(tmp_path.glob('search/*.npz'))
    times = [path.stat().st_mtime_ns for path in files]
    again = fit(videos, tmp_path, **given)
    assert [path.stat().st_mtime_ns for path in files] == times
    assert again.accuracy == done.accuracy and again.test == done.test
    assert done.adapter.read_bytes() == before


def test_what_is_asked_wrongly_is_said(videos, tmp_path):
    with pytest.raises(ValueError, match="--budget '10'.*90s, 10m or 2h"):
        fit(videos, tmp_path, budget='10')
    with pytest.raises(ValueError, match=r"methods=\['AIM'\].*EVL"):
        fit(videos, tmp_path, methods=['AIM'])
    assert [read_budget(t) for t in ('90s', '1.5m', '2h')] == [90, 90, 7200]


def test_more_clips_are_trained_longer_and_augmented_less():
    few, many = choose_recipe(60, 600), choose_recipe(2000, 600)
    assert few.steps < many.steps and few.passes > many.passes >= 1
    assert epochs_of(few, 160) == round(few.steps * few.batch_size / 160)
    assert epochs_of(few, 10**6) == 1


def test_the_largest_trunk_that_there_is_time_for(monkeypatch):
    had = {'facebook/dinov2-small': 'kept', 'facebook/dinov2-base': 'download'}
    monkeypatch.setattr(
        choosing, 'weights_at', lambda row: had.get(row.name, 'by hand')
    )
    given = dict(size=112, speed=1e12)
    assert choose_trunk(1000, 60, **given).name.endswith('base')
    small = choose_trunk(1000, 60, download=False, **given)
    assert small.name.endswith('small') and 'about 2 s' in small.reason
    slow = choose_trunk(10**6, 60, **given)
    assert slow.name.endswith('small') and 'no smaller' in slow.reason
    named = choose_trunk(1, 1, 'facebook/dinov2-base=x.pth')
    assert (named.name, named.pretrained) == ('facebook/dinov2-base', 'x.pth')
    had.clear()
    with pytest.raises(ValueError, match='No DINOv2 is kept.*--trunk'):
        choose_trunk(1000, 60, **given)
    with pytest.raises(ValueError, match='There is no trunk'):
        choose_trunk(1, 1, 'facebook/dino')
