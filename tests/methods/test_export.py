"""Every backbone under tracers, exporters and quantisers, with any batch."""

import importlib.util
import inspect

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import nn
from torch.testing import assert_close

from mmvidadapt.methods.bevt.masked_model import MaskedModel
from mmvidadapt.methods.bevt.video_swin import BEVTVideoSwin
from mmvidadapt.trunks.base import AdaptedBackbone
from mmvidadapt.trunks.parts import linear as linear_module
from mmvidadapt.trunks.parts import tracing
from mmvidadapt.trunks.table import TRUNKS
from tests.methods.cases import Case, all_cases
from tests.methods.cases.bevt import CASES as BEVT

PIXELS = dict(arch='tiny', img_size=32, num_frames=4)
FORMER = dict(type='BEVTTimeSformer', **PIXELS), (3, 4, 32, 32), set(), '', 0
FORMERS = Case(*FORMER), Case(FORMER[0], (3, 32, 32), *FORMER[2:])
# Name: the case, and what is changed of it.
BACKBONES = {case.name: (case, {}) for case in reversed(all_cases())}
BACKBONES |= {
    'AIM': (BACKBONES['AIM'][0], dict(num_t_adapters=2)),
    'DualPath, official': (BACKBONES['DualPath'][0], dict(variant='official')),
    'LoRA': (BACKBONES['LoRA'][0], dict(targets=('q', 'k', 'v', 'o'))),
    'STAdapter': (BACKBONES['STAdapter'][0], dict(places=('attn', 'mlp'))),
    **{
        f'{method}, {trunk}': (
            BACKBONES[method][0],
            dict(dialect=TRUNKS[trunk].dialect),
        )
        for method, trunk in (
            ('AIM', 'QuanSun/EVA02_CLIP_B_psz16_s8B'),
            ('DualPath', 'facebook/PE-Core-G14-448'),
        )
    },
    'BEVTSwin, images': (BEVT[-1], {}),
    **{f'BEVTTimeSformer {len(c.clip)}': (c, {}) for c in FORMERS},
}
every_backbone = pytest.mark.parametrize('name', BACKBONES)
# Those whose adapters or decoders are plain linear layers.
QUANTISED = (
    'AIM',
    'AIMSwin',
    'DualPath',
    'DualPath, official',
    'EVL',
    'AdaptFormer',
)


def build_backbone(name, **given):
    """Build a backbone in evaluation mode, with no parameter at zero."""
    case, own = BACKBONES[name]
    return Case.build(case, **own, **given).eval()  # BEVT's: without masks


def batch_for(name, size):
    """Draw a batch of clips or images."""
    return BACKBONES[name][0].batch(size)


@torch.no_grad()
def answers(model, name, sizes=(1, 2, 5)):
    """Run a model on batches of several sizes; give both."""
    batches = [batch_for(name, size) for size in sizes]
    return [(batch, model(batch)) for batch in batches]


def agree(run, known):
    """Compare a converted model with the model, batch by batch."""
    for batch, wanted in known:
        assert_close(run(batch), wanted, rtol=1e-4, atol=1e-4)


def test_no_backbone_is_left_out():
    known = {case.name for case, _ in BACKBONES.values()}
    ours = {
        name
        for name, kind in MODELS.module_dict.items()
        if inspect.isclass(kind)
        and issubclass(kind, (AdaptedBackbone, MaskedModel, BEVTVideoSwin))
    }
    assert known == ours


@every_backbone
def test_a_traced_model_takes_any_batch(name):
    model = build_backbone(name)
    known = answers(model, name)
    with torch.no_grad():
        traced = torch.jit.trace(model, batch_for(name, 2), check_trace=False)
        agree(traced, known)


@every_backbone
def test_an_exported_model_takes_any_batch(name):
    """With gradients enabled, as most people call it."""
    model = build_backbone(name)
    known = answers(build_backbone(name), name)
    exported = torch.export.export(
        model,
        (batch_for(name, 2),),
        dynamic_shapes=({0: torch.export.Dim('batch')},),
        strict=False,
    ).module()
    agree(lambda x: exported(x).detach(), known)
    agree(lambda x: model(x).detach(), known)  # nothing symbolic stays behind


@pytest.mark.parametrize(
    'name, with_cp', [('STAdapter', True), ('ViViT', 'mlp')]
)
def test_checkpointing_is_not_exported(name, with_cp):
    model = build_backbone(name, with_cp=with_cp)
    program = torch.export.export(
        model,
        (batch_for(name, 2),),
        dynamic_shapes=({0: torch.export.Dim('batch')},),
        strict=False,
    )
    assert 'checkpoint' not in str(program.graph)
    exported = program.module()
    agree(lambda x: exported(x).detach(), answers(model, name, sizes=(3,)))


@every_backbone
def test_a_quantised_model_runs_and_stays_close(name):
    model = build_backbone(name)
    small = torch.ao.quantization.quantize_dynamic(
        model, {nn.Linear}, dtype=torch.qint8
    )
    names = {type(module).__module__ for module in small.modules()}
    quantised = any('quantized' in module for module in names)
    assert quantised or name not in QUANTISED
    batch = batch_for(name, 2)
    with torch.no_grad():
        wanted, found = model(batch), small(batch)
    error = ((found - wanted).norm() / wanted.norm()).item()
    assert error < 0.03
    if name in QUANTISED:
        assert error > 0  # the quantised layers were called


class Shifted(nn.Module):
    """What libraries put in the place of a linear layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    @property
    def weight(self):
        """Give the weight of what is wrapped, which is not all there is."""
        return self.layer.weight

    def forward(self, x):
        """Add to what is wrapped."""
        return self.layer(x) + ramp(self.layer.bias)


def ramp(bias):
    """Give what no norm takes away."""
    return torch.linspace(0, 1, len(bias))


@pytest.mark.parametrize(
    'name, layer',
    [
        ('AIM', 'transformer.resblocks.0.t_adapter.down'),
        ('AIM', 'transformer.resblocks.0.attn.out_proj'),
        ('DualPath', 'transformer.resblocks.0.t_adapter_attn.up'),
        ('DualPath, official', 'transformer.resblocks.0.t_adapter_attn_b.up'),
        ('EVL', 'decoder.layers.0.attn.v_proj'),
    ],
)
def test_what_replaces_a_layer_is_called(name, layer):
    """Its matrix alone would miss what it adds."""
    model, batch = build_backbone(name), batch_for(name, 2)
    parent, _, child = layer.rpartition('.')
    parent = model.get_submodule(parent)
    original = getattr(parent, child)
    shifted = build_backbone(name)
    with torch.no_grad():
        bias = shifted.get_submodule(layer).bias
        bias += ramp(bias)
        setattr(parent, child, Shifted(original))
        assert_close(model(batch), shifted(batch), rtol=1e-4, atol=1e-4)
        setattr(parent, child, original)
        assert not torch.allclose(model(batch), shifted(batch), atol=1e-3)


def test_sizes_are_not_asked_for_while_recording(monkeypatch):
    """They may be symbols, which a comparison would fix."""
    monkeypatch.setattr(linear_module, 'is_traced', lambda: True)

    class Sizeless:
        """Fails when looked at."""

    assert not linear_module._fast(Sizeless(), Sizeless())


def test_what_counts_as_recording():
    assert not tracing.is_traced() and not tracing.is_exported()
    seen = []

    class Look(BaseModule):
        """Tells what it sees."""

        def forward(self, x):
            seen.append((tracing.is_traced(), tracing.is_exported()))
            return x + 1

    torch.jit.trace(Look(), torch.zeros(2), check_trace=False)
    torch.export.export(Look(), (torch.zeros(2),), strict=False)
    assert set(seen) == {(True, True)}


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ('onnx', 'onnxruntime'))),
    reason='onnx and onnxruntime are not installed',
)
@pytest.mark.parametrize('dynamo', [True, False])
@every_backbone
def test_an_onnx_file_takes_any_batch(name, dynamo, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    if dynamo:
        pytest.importorskip('onnxscript')
        axes = dict(dynamic_shapes=({0: torch.export.Dim('batch')},))
    else:
        axes = dict(dynamic_axes=dict(x={0: 'batch'}), opset_version=17)
    model, path = build_backbone(name), str(tmp_path / 'model.onnx')
    known = answers(model, name)
    with torch.no_grad():
        torch.onnx.export(
            model,
            (batch_for(name, 2),),
            path,
            dynamo=dynamo,
            input_names=['x'],
            output_names=['y'],
            **axes,
        )
    session = onnxruntime.InferenceSession(path)

    def run(batch):
        return torch.from_numpy(session.run(None, {'x': batch.numpy()})[0])

    agree(run, known)
