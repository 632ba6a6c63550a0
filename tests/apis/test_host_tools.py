"""mmaction2's own tools run with a config of ours, each of them."""

import logging
import pickle
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.dataset import Compose

from mmvidadapt.__main__ import main
from mmvidadapt.apis.train.config import find_config
from mmvidadapt.apis.train.host_tools import find_tool, list_tools
from tests.tools.processes import run

FEATURES = 'misc/clip_feature_extraction.py'
CHECK = 'analysis_tools/check_videos.py'
VIS_CAM = 'visualizations/vis_cam.py'
BOTH = '{config} {checkpoint}'
EXTRACT = BOTH + ' {out} --video-list {listing} --video-root {videos}'
# What is typed, and the files that are there afterwards. The first one writes
# what others read; train.py ran for the fixture.
RUN = {
    'test.py': (
        '{config} {checkpoint} --work-dir {work} --dump {work}/scores.pkl',
        ['{work}/scores.pkl'],
    ),
    'analysis_tools/analyze_logs.py': ('cal_train_time {log}', []),
    'analysis_tools/confusion_matrix.py': (
        '{config} {checkpoint} --out {out}/cm.pkl --show-path {out}/cm.png',
        ['{out}/cm.pkl', '{out}/cm.png'],
    ),
    'analysis_tools/eval_metric.py': ('{config} {work}/scores.pkl', []),
    'analysis_tools/get_flops.py': ('{config} --shape 1 3 8 32 32', []),
    'analysis_tools/print_config.py': ('{config}', []),
    'analysis_tools/report_accuracy.py': (
        '--preds {work}/scores.pkl --coefficients 1.0',
        [],
    ),
    'data/anno_txt2json.py': (
        '{listing} --format videos --output {out}/list.json',
        ['{out}/list.json'],
    ),
    'deployment/publish_model.py': (
        '{checkpoint} {out}/published.pth',
        ['{out}/published_*-*.pth'],
    ),
    'visualizations/browse_dataset.py': ('{config} {out} -n 2', []),
    VIS_CAM: (
        '{config} {checkpoint} {videos}/clip0.mp4 --device cpu '
        '--target-layer-name backbone --out-filename {out}/cam.gif',
        [],
    ),
    'visualizations/vis_scheduler.py': (
        '{config} -d 16 --save-path {out}/rate.png --not-show',
        ['{out}/rate.png'],
    ),
}
# What they print, where that is all they do.
SAID = {
    'analysis_tools/analyze_logs.py': 'average iter time',
    'analysis_tools/eval_metric.py': "'acc/top1'",
    'analysis_tools/get_flops.py': 'Input shape: (1, 3, 8, 32, 32)',
    'analysis_tools/print_config.py': "type='MidpointSampleFrames'",
    'analysis_tools/report_accuracy.py': 'Mean Class Accuracy',
}
# What mmaction2 1.2.0 itself cannot do, or not with models of this kind.
FAIL = {
    'analysis_tools/bench_processing.py': ('{config}', "'Config' from 'mmcv'"),
    'analysis_tools/benchmark.py': ('{config}', "'Config' from 'mmcv'"),
    'convert/convert_recognizer.py': ('{config} x.py', 'img_norm_cfg'),
    'convert/reparameterize_model.py': (f'{BOTH} x.pth', 'switch_to_deploy'),
    'deployment/export_onnx_gcn.py': (BOTH, 'onnxruntime|graph_cfg'),
    'deployment/export_onnx_posec3d.py': (BOTH, 'onnxruntime|in_channels'),
    'deployment/export_onnx_stdet.py': (BOTH, 'onnxruntime|mmdet'),
    'deployment/mmaction2torchserve.py': (
        f'{BOTH} --output-folder {{out}}',
        'torch-model-archiver',
    ),
    'deployment/mmaction_handler.py': ('', '`ts` is required'),
}
# Run by tests of their own.
BELOW = ('train.py', CHECK, FEATURES)
# What never sees a config of a recognizer or a checkpoint.
OTHERS = ('data/', 'misc/flow_extraction.py', 'analysis_tools/report_map.py')
OTHERS += ('misc/bsn_proposal_generation.py',)


class Clip:
    """Stands for moviepy's clip: notes which frames would be written."""

    written = []

    def __init__(self, frames, fps):
        self.frames = frames

    def write(self, path, **options):
        """Note the file."""
        self.written.append((path, len(self.frames), self.frames[0].shape))

    write_gif = write_videofile = write


@pytest.fixture(autouse=True)
def optional(monkeypatch):
    """Stand in for what some tools draw and write with.

    One of them ends logging, and deletes the folder of its log.
    """
    monkeypatch.setattr(logging, 'shutdown', lambda: None)
    seaborn, moviepy = ModuleType('seaborn'), ModuleType('moviepy')
    seaborn.set_style = lambda style: None
    moviepy.editor = ModuleType('moviepy.editor')
    moviepy.editor.ImageSequenceClip = Clip
    for module in (seaborn, moviepy, moviepy.editor):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Clip, 'written', [])


@pytest.fixture
def call(hosted, tmp_path):
    """Run a tool with names of files filled in."""
    names = dict(vars(hosted), out=tmp_path, videos=hosted.listing.parent)

    def run(tool, arguments):
        return main(['run', tool, *shlex.split(arguments.format(**names))])

    run.names = names
    return run


@pytest.mark.parametrize('tool', RUN)
def test_a_tool_runs(call, capsys, tool):
    arguments, files = RUN[tool]
    assert call(tool, arguments) == 0
    for file in files:
        path = Path(file.format(**call.names))
        assert list(path.parent.glob(path.name)), file
    assert SAID.get(tool, '') in capsys.readouterr().out


def test_the_training_tool_writes_what_ours_does(hosted):
    assert hosted.checkpoint.is_file()
    assert hosted.checkpoint.with_suffix('.adapter.safetensors').is_file()


@pytest.mark.parametrize('tool', FAIL)
def test_a_tool_that_cannot_run_says_why(call, tool):
    arguments, message = FAIL[tool]
    errors = (AssertionError, AttributeError, ImportError)
    with pytest.raises(errors, match=message):
        call(tool, arguments)


def test_every_tool_is_one_of_these():
    rest = set(list_tools()) - set(RUN) - set(FAIL) - set(BELOW)
    assert not [tool for tool in rest if not tool.startswith(OTHERS)]


def test_clips_are_drawn(call):
    for tool in ('visualizations/browse_dataset.py', VIS_CAM):
        call(tool, RUN[tool][0])
    (first, *drawn), second, (cam, heat, _) = Clip.written
    assert first.endswith('video_0.mp4') and drawn == [8, (32, 32, 3)]
    assert cam.endswith('cam.gif') and heat == 3 * 8


def test_features_are_those_of_the_model(call, hosted, tmp_path):
    call(FEATURES, EXTRACT)
    model = init_recognizer(str(hosted.config), str(hosted.checkpoint), 'cpu')
    pipeline = Compose(model.cfg.test_pipeline)
    video = hosted.listing.parent / 'clip3.mp4'
    data = pipeline(dict(filename=str(video), label=0, start_index=0))
    batch = {key: [value] for key, value in data.items()}
    views = model.data_preprocessor(batch)['inputs']
    with torch.no_grad():
        wanted = model.extract_feat(views)[0].mean((0, 2, 3, 4))
    found = pickle.loads((tmp_path / 'clip3.mp4.pkl').read_bytes())
    torch.testing.assert_close(found, wanted)


def test_features_of_a_long_video(call, tmp_path):
    """The tool takes a sampler of ours for the one it replaces."""
    long = ' --long-video-mode --clip-interval 2 --frame-interval 1'
    call(FEATURES, EXTRACT + long)
    found = pickle.loads((tmp_path / 'clip3.mp4.pkl').read_bytes())
    assert found.shape == (5, 32)  # ten frames, a clip every two


def test_videos_are_checked(call, hosted, tmp_path):
    videos = tmp_path / 'videos'
    shutil.copytree(hosted.listing.parent, videos)
    (videos / 'clip2.mp4').write_bytes(b'no video')
    arguments = (
        '{config} --nproc 1 --decoder pyav --output-file {out}/bad.txt '
        f'--cfg-options train_dataloader.dataset.data_prefix.video={videos}'
    )
    call(CHECK, arguments)
    bad = (tmp_path / 'bad.txt').read_text().split()
    assert bad == [str(videos / 'clip2.mp4')]


def test_names_and_paths():
    root = find_tool('train').parent
    for name in ('confusion_matrix', 'analysis_tools/confusion_matrix.py'):
        assert find_tool(name) == root / 'analysis_tools/confusion_matrix.py'
    assert find_tool('data/kinetics/download').parts[-2] == 'kinetics'
    assert find_tool(__file__) == Path(__file__)
    with pytest.raises(ValueError, match='one of data/activitynet/download'):
        find_tool('download')


def test_a_wrong_name_and_a_list_of_the_right_ones(capsys):
    assert main(['run', 'confusion']) == 1
    said = capsys.readouterr().err
    assert "'confusion' is no file" in said and 'test.py' in said
    assert main(['run']) == 0
    assert capsys.readouterr().out.split() == list_tools()


def test_a_tool_of_ones_own(tmp_path, capsys):
    """Its folder, its arguments, its status; nothing stays behind."""
    (tmp_path / 'beside.py').write_text('WORD = "found"')
    tool = tmp_path / 'tool.py'
    tool.write_text(
        'import sys\nfrom beside import WORD\n'
        'from tools.data.anno_txt2json import lines2dictlist\n'
        'from mmengine.config import Config\n'
        'cfg = Config.fromfile(sys.argv[1])\n'
        'kind = cfg.train_dataloader.dataset.type\n'
        'print(WORD, kind, kind == "VideoDataset", kind != "VideoDataset")\n'
        'print(cfg.train_pipeline[1].type == "SampleFrames", sys.argv[2:])\n'
        'sys.exit(3)\n'
    )
    config = str(find_config('aim/vitb16_k400'))
    before = sys.argv, sys.path, Config.fromfile
    with pytest.raises(SystemExit, match='3'):
        main(['run', str(tool), config, '--help', 'x'])
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first == 'found CheckedVideoDataset True False'
    assert second == "False ['--help', 'x']"
    assert before == (sys.argv, sys.path, Config.fromfile)
    assert Config.fromfile(config).dataset_type == 'CheckedVideoDataset'


def test_mmaction2_is_healed_first(hosted, tmp_path):
    """What cannot run by itself: torch.load refuses the checkpoint."""
    files = hosted.checkpoint, tmp_path / 'published.pth'
    command = (sys.executable, '-m', 'mmvidadapt', 'run', 'publish_model')
    status, said = run(*command, *files)
    assert status == 0, said
    assert list(tmp_path.glob('published_*-*.pth'))
