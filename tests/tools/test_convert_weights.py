"""The tool says what weights are, writes them under our names, or refuses."""

import sys

import pytest
import torch
from mmengine.runner import load_checkpoint
from safetensors import safe_open

from mmvidadapt.apis.inspect.method_fit import list_methods, read_targets
from mmvidadapt.weights import load_weights_file
from tests import runs
from tests.golden import assert_output, goldens, load_golden
from tests.methods.cases.aim import aim_of
from tests.weights import foreign
from tests.weights.samples import same, swin, vit

from .processes import call, run

TOOL = 'convert_weights.py'


@pytest.fixture
def convert(monkeypatch, capsys, tmp_path):
    """Save weights and run the tool on them; give what it prints."""

    def run_on(weights, *args):
        torch.save({'state_dict': weights}, tmp_path / 'in.pth')
        call(monkeypatch, TOOL, tmp_path / 'in.pth', *args)
        return capsys.readouterr().out

    return run_on


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_weights_are_written_under_our_names(convert, tmp_path, suffix):
    theirs, ours = foreign.hf_clip()
    out = tmp_path / 'deep' / f'out{suffix}'
    told = convert(theirs, out)
    assert "layout 'hf-clip', a backbone, 31 tensors" in told
    assert 'self_attn.q_proj.weight -> transformer.resblocks.*.attn' in told
    assert 'in_proj_weight  x2' in told
    assert 'leftovers, of no use to a video model: 8' in told
    assert '  classifier.weight  x1' in told
    assert f'written: {out}' in told
    same(load_weights_file(out), ours)
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    facts = dict(source=str(tmp_path / 'in.pth'), layout='hf-clip')
    if suffix == '.pth':
        found = torch.load(out, weights_only=True)['meta']
    else:
        with safe_open(out, 'pt') as file:
            found = file.metadata()
    assert facts.items() <= found.items() and 'mmvidadapt' in found


def test_dry_runs_write_nothing(convert, tmp_path):
    told = convert(foreign.aim_clip()[0], tmp_path / 'out.pth', '--dry-run')
    assert "layout 'aim-clip', backbone and head" in told
    assert 'T_Adapter.D_fc1.weight -> ' in told and 'written' not in told
    assert not (tmp_path / 'out.pth').exists()
    assert "layout 'aim-clip'" in convert(foreign.aim_clip()[0], '--dry-run')


@pytest.mark.parametrize('path', goldens('aim_vit_clip_*.pt'))
def test_what_is_written_gives_the_golden_output(path, convert, tmp_path):
    golden = load_golden(path)
    convert(golden['state_dict'], tmp_path / 'out.pth')
    model = aim_of(golden)
    load_checkpoint(model, str(tmp_path / 'out.pth'), strict=True)
    expected = golden['output'].to(model.conv1.weight.dtype)
    found = model(golden['input']).detach()
    if expected.dtype == torch.float64:  # files are read in float32
        expected, found = expected.float(), found.float()
    assert_output(found, expected)


@pytest.mark.parametrize(
    'source, method, expected',
    [
        (foreign.openai_clip, 'aim', ['(AIM)', 'weights: 13', 'misses: 0']),
        (foreign.aim_clip, 'aim', ['(AIM)', 'weights: 0', 'misses: 0']),
        (foreign.timm_vit, 'aim', ['unknown to the method: 0']),
        (foreign.swin_2d, 'aim', ['(AIMSwin)', 'bias_table', 'misses: 0']),
        (foreign.openai_clip, 'evl', ['(EVL)', 'decoder.cls_token']),
    ],
)
def test_misses_are_listed(convert, source, method, expected):
    told = convert(source()[0], '--to', method, '--dry-run')
    part = told[told.index('compared with') :]
    for words in expected:
        assert words in part
    assert 'frozen trunk' not in part


@pytest.mark.parametrize('path', goldens('evl_[abc].pt'))
def test_a_decoder_alone_says_where_the_trunk_comes_from(path, convert):
    official = load_golden(path)['state_dict']
    weights = {f'module.{k}': v for k, v in official.items()}
    told = convert(weights, '--to', 'evl', '--dry-run')
    assert "layout 'evl', backbone and head" in told
    assert "the frozen trunk comes from the config's `pretrained`" in told


@pytest.mark.parametrize(
    'weights, method, reason',
    [
        (lambda: foreign.aim_clip()[0], 'evl', 'those of aim.*--to aim'),
        (swin, 'evl', 'another trunk, and do not fit evl'),
        (vit, 'bevt', 'another trunk, and do not fit bevt'),
    ],
)
def test_weights_of_another_method_are_refused(
    convert, tmp_path, weights, method, reason
):
    with pytest.raises(SystemExit, match=reason):
        convert(weights(), tmp_path / 'out.pth', '--to', method)
    assert not (tmp_path / 'out.pth').exists()


def test_wrong_arguments_are_told(convert, tmp_path):
    with pytest.raises(SystemExit, match='or say --dry-run'):
        convert(vit())
    with pytest.raises(SystemExit, match='is the source'):
        convert(vit(), tmp_path / 'in.pth')
    same(load_weights_file(tmp_path / 'in.pth'), vit())
    with pytest.raises(SystemExit, match='in.pth: .*unknown layout'):
        convert({'a': torch.ones(1)}, tmp_path / 'out.pth')
    with pytest.raises(SystemExit, match='2'):
        convert(vit(), '--to', 'nonsense')


def test_a_failed_write_leaves_nothing(convert, tmp_path, monkeypatch):
    (tmp_path / 'out.pth').write_text('older')

    def full(*args):
        raise OSError(28, 'No space left on device')

    save = torch.save
    monkeypatch.setattr(
        torch, 'save', lambda x, f: full() if 'out' in str(f) else save(x, f)
    )
    words = r'out\.pth was not written \(disk full\)'
    with pytest.raises(SystemExit, match=words):
        convert(vit(), tmp_path / 'out.pth')
    assert (tmp_path / 'out.pth').read_text() == 'older'
    assert {p.name for p in tmp_path.iterdir()} == {'in.pth', 'out.pth'}


def test_every_method_is_a_target():
    assert {'aim', 'evl'} <= set(list_methods())
    assert not {'_base_', 'quickstart', 'evidence'} & set(list_methods())
    by_class = {target.name: target for target in read_targets('aim')}
    assert set(by_class) == {'AIM', 'AIMSwin'}
    aim = by_class['AIM']
    assert 'temporal_embedding' in aim.new & aim.needed
    assert 'ln_pre.weight' in aim.known - aim.needed  # of CLIP's only
    assert 'conv1.weight' in aim.frozen & aim.needed
    assert 'ln_post.weight' not in aim.frozen | aim.new


def test_the_command_runs(tmp_path):
    torch.save(foreign.timm_vit()[0], tmp_path / 'in.pth')
    files = (tmp_path / 'in.pth', tmp_path / 'out.pth')
    command = (sys.executable, f'tools/{TOOL}', *files)
    status, told = run(*command, cwd=runs.ROOT)
    assert status == 0 and "layout 'timm-vit'" in told
    same(load_weights_file(tmp_path / 'out.pth'), foreign.timm_vit()[1])
