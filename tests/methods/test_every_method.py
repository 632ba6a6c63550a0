"""What every method must pass: a case in ``cases/`` is all that it costs."""

import hashlib
import inspect
import math
import warnings

import pytest
import torch
from mmaction.registry import MODELS
from mmcv.cnn.bricks import DropPath as HostDropPath
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.vivit.trunk import ViViTTrunk
from mmvidadapt.trunks.base import AdaptedBackbone
from mmvidadapt.trunks.parts.attention import Attention
from mmvidadapt.trunks.parts.drop_branch import DropBranch
from mmvidadapt.trunks.parts.drop_path import DropPath
from mmvidadapt.trunks.parts.encoder import Encoder
from mmvidadapt.trunks.vit import ViTTrunk
from tests.golden import assert_gradients, assert_output, goldens
from tests.methods.cases import all_cases

CASES = {}
for number, one in enumerate(all_cases()):
    CASES[one.name if one.name not in CASES else f'{one.name} {number}'] = one
VARIANTS = [
    pytest.param(case, given, id=f'{key}, {name}')
    for key, case in CASES.items()
    for name, given in {'as it is': {}, **case.variants}.items()
]
GOLDENS = [
    pytest.param(case, *path.values, id=f'{key}-{path.id}', marks=path.marks)
    for key, case in CASES.items()
    for pattern in case.goldens
    for path in goldens(pattern)
]
every_case = pytest.mark.parametrize('case', CASES.values(), ids=CASES)
every_dialect = pytest.mark.parametrize(
    'case,given',
    [v for v in VARIANTS if v.id.endswith(('as it is', 'imagenet'))],
)
every_variant = pytest.mark.parametrize('case,given', VARIANTS)


def gradients(model, batch, input_too=False):
    """Run and differentiate; everything by name."""
    batch = batch.clone().requires_grad_(input_too)
    model.zero_grad()
    output = model(batch)
    weight = torch.linspace(-1, 1, output.numel()).to(output)
    (output * weight.view_as(output)).sum().backward()
    grads = {
        name.removeprefix('_orig_mod.'): param.grad
        for name, param in model.named_parameters()
        if param.grad is not None
    }
    return dict(grads, output=output.detach(), input=batch.grad)


def agree(actual, wanted, tol):
    """Compare tensors, each relative to its largest value.

    The bias of keys moves no attention: all that its gradient holds is
    rounding, hence the floor.
    """
    assert set(actual) == set(wanted)
    tensors = [value for value in wanted.values() if value is not None]
    floor = tol / 100 * max(value.abs().max().item() for value in tensors)
    for name, value in wanted.items():
        if value is None:
            assert actual[name] is None, name
            continue
        atol = max(tol * value.abs().max().item(), floor)
        assert_close(actual[name], value, rtol=0, atol=atol, msg=name)


def test_every_method_has_a_case():
    ours = {
        name
        for name, kind in MODELS.module_dict.items()
        if inspect.isclass(kind) and issubclass(kind, AdaptedBackbone)
    }
    missing = ours - {case.name for case in CASES.values()}
    assert not missing, f'add tests/methods/cases/<method>.py for {missing}'


@every_dialect
def test_a_new_one_is_the_image_model(case, given):
    if case.image is None:
        pytest.skip('its paper does not start as the image model')
    model, batch = case.build(False, **given).eval(), case.batch()
    dialect = {key: given[key] for key in given if key == 'dialect'}
    image = MODELS.build({**case.image, **dialect}).eval()
    own = model.state_dict()
    image.load_state_dict({key: own[key] for key in image.state_dict()})
    assert_close(model(batch), image(batch))
    changed = case.build(**given)
    changed.load_state_dict(image.state_dict(), strict=False)
    assert (changed.eval()(batch) - image(batch)).abs().max() > 0.01


@every_case
def test_names_and_first_weights_are_as_ever(case):
    model = case.build(random=False)
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == case.trained
    state = model.state_dict()
    text = str([(key, tuple(v.shape)) for key, v in sorted(state.items())])
    assert hashlib.sha1(text.encode()).hexdigest()[:12] == case.keys
    drawn = torch.cat([p.flatten() for p in model.parameters()])
    assert drawn.double().abs().mean().item() == pytest.approx(case.drawn)


@every_variant
def test_gradients_reach_exactly_what_is_trained(case, given):
    model = case.build(**given).eval()
    grads = gradients(model, case.batch())
    for name, param in model.named_parameters():
        learns = name in grads and bool(grads[name].any())
        assert learns == param.requires_grad, name


@pytest.mark.parametrize('with_cp', [False, True, 'mlp'])
@pytest.mark.parametrize('case,path', GOLDENS)
def test_equals_the_official_code(case, path, with_cp):
    official = case.official(path, with_cp=with_cp)
    assert_output(official.output, official.wanted)
    (official.output * official.weight).sum().backward()
    assert_gradients(official.model, official.grads)


@every_variant
def test_plain_is_lean(case, given):
    lean = case.build(**given).double().eval()
    plain = case.build(**given, lean=False).double().eval()
    plain.load_state_dict(lean.state_dict(), strict=True)
    kinds = [{type(m) for m in model.modules()} for model in (lean, plain)]
    assert kinds[0] != kinds[1]
    batch = case.batch().double()
    wanted = gradients(plain, batch, input_too=True)
    agree(gradients(lean, batch, input_too=True), wanted, 1e-10)


@every_case
def test_plain_and_lean_drop_the_same_branches(case, monkeypatch):
    """Half is left of what may be dropped."""
    for kind in (DropPath, HostDropPath):
        monkeypatch.setattr(kind, 'forward', lambda self, x: x / 2)

    def halve(self, x, branch, source=None):
        return x + branch(x if source is None else source) / 2

    monkeypatch.setattr(DropBranch, 'forward', halve)
    outcomes = {}
    for lean in (True, False):
        model = case.build(lean=lean, drop_path_rate=0.3).double().eval()
        batch = case.batch().double()
        outcomes[lean] = gradients(model, batch, input_too=True)
    agree(outcomes[True], outcomes[False], 1e-10)
    monkeypatch.undo()
    whole = model(batch)
    assert not torch.allclose(whole, outcomes[False]['output'])


@every_case
def test_drop_path_rates_rise_to_the_one_that_is_given(case):
    drops = [
        vars(m).get('rate', vars(m).get('drop_prob'))
        for m in case.build(drop_path_rate=0.3).modules()
        if isinstance(m, (DropPath, DropBranch, HostDropPath))
    ]
    assert max(drops) == pytest.approx(0.3)
    assert min(drops) < 0.15  # mmcv leaves out a rate of zero


@every_variant
def test_positions_enter_attention_over_space_alone(case, given, monkeypatch):
    """What rotary positions need: one step that all of a frame pass."""
    lean = case.build(**given).double().eval()
    if not isinstance(lean, ViTTrunk) or isinstance(lean, ViViTTrunk):
        pytest.skip('its trunk has positions of its own')
    plain = case.build(**given, lean=False).double().eval()
    batch = case.batch().double()
    before = gradients(plain, batch)
    first, number = lean.num_prefix_tokens, math.prod(lean.patch_grid)

    def place(attn, q, k):
        assert k.shape[-2] >= first + number
        factors = torch.ones(k.shape[-2], 1).to(k)
        factors[first : first + number, 0] = torch.linspace(1, 3, number)
        return q * factors[: q.shape[-2]], k * factors

    monkeypatch.setattr(Attention, 'place', place)
    wanted = gradients(plain, batch, input_too=True)
    assert not torch.allclose(before['output'], wanted['output'])
    agree(gradients(lean, batch, input_too=True), wanted, 1e-10)


@every_case
def test_checkpointing_changes_nothing_but_memory(case):
    kept, grads, batch = [], [], case.batch()
    for with_cp in (False, *reversed(case.checkpoints)):
        model = case.build(with_cp=with_cp, drop_path_rate=0.3).train()
        torch.manual_seed(1)
        grads.append(gradients(model, batch))
        torch.manual_seed(1)
        kept.append(saved_bytes(model, lambda m=model: m(batch)))
    for other in grads[1:]:
        agree(other, grads[0], 1e-5)
    less = sorted(set(kept), reverse=True)
    frozen = case.name in ('EVL', 'Side4Video')  # their trunks have none
    assert (len(less) == 1) if frozen else (kept == less)


@every_case
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_agrees_with_float32(case, dtype):
    if not case.autocast:
        pytest.skip('it has a test of its own')
    model, batch = case.build().eval(), case.batch()
    for param in model.parameters():
        param.data /= 4  # of a size that trained weights have
    wanted = gradients(model, batch)
    with torch.autocast('cpu', dtype=dtype):
        actual = gradients(model, batch)
    sizes = {k: v.abs().max() for k, v in wanted.items() if v is not None}
    for name, size in sizes.items():
        if name != 'output' or isinstance(model, Encoder):
            assert actual[name].dtype == torch.float32
        error = (actual[name] - wanted[name]).abs().max()
        assert error < 0.2 * max(size, max(sizes.values()) / 20), name


@pytest.mark.parametrize(
    'case', {case.name: case for case in CASES.values()}.values(), ids=str
)
def test_compiled_and_traced_it_is_the_same(case):
    model, batch = case.build().eval(), case.batch()
    torch._dynamo.reset()
    compiled = torch.compile(model, backend='aot_eager')
    agree(gradients(compiled, batch), gradients(model, batch), 1e-4)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        traced = torch.jit.trace(model, batch)
        assert 'PythonOp' not in str(traced.inlined_graph)
        assert_close(traced(batch + 1), model(batch + 1))


@pytest.mark.parametrize(
    'case,wrong,message',
    [
        pytest.param(case, *row, id=f'{key}, {row[0]}'[:60])
        for key, case in CASES.items()
        for row in case.wrong
    ],
)
def test_wrong_arguments_are_named(case, wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        case.build(**wrong)


@pytest.mark.parametrize(
    'case,shape,message',
    [
        pytest.param(case, *row, id=f'{key}, {row[0]}')
        for key, case in CASES.items()
        for row in case.wrong_clips
    ],
)
def test_wrong_clips_are_named(case, shape, message):
    with pytest.raises(ValueError, match=message):
        case.build()(torch.randn(2, *shape))


@every_dialect
def test_its_own_checkpoint_is_taken_as_it_is(case, given, tmp_path):
    wanted = case.build(**given).state_dict()
    wanted = {key: value * 2 for key, value in wanted.items()}
    torch.save(wanted, tmp_path / 'own.pth')
    loaded = case.build(**given, pretrained=str(tmp_path / 'own.pth'))
    loaded.init_weights()
    wrapped = torch.nn.ModuleDict(
        dict(backbone=case.build(random=False, **given))
    )
    wrapped.load_state_dict({f'backbone.{k}': v for k, v in wanted.items()})
    for model in (loaded, wrapped.backbone):
        for key, value in model.state_dict().items():
            assert torch.equal(value, wanted[key]), key


@every_case
def test_full_finetuning_reaches_everything(case):
    if not isinstance(case.build(), AdaptedBackbone):
        pytest.skip('it is always trained as a whole')
    model = case.build(full_finetune=True).eval()
    grads = gradients(model, case.batch())
    idle = [n for n, _ in model.named_parameters() if n not in grads]
    assert idle == []
    assert all(grads[name].any() for name, _ in model.named_parameters())
