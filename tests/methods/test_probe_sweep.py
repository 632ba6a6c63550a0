"""A sweep learns what single runs learn, and keeps the best."""

import json
import math

import pytest
import torch
from mmaction.registry import HOOKS, METRICS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from mmvidadapt.engine.adapters import load_adapter
from mmvidadapt.methods.probe_sweep.config import member_config, sweep_config
from mmvidadapt.methods.probe_sweep.grid import DECAYS, RATES, grid
from tests import runs
from tests.runs import listing  # noqa: F401  a fixture

LRS, WDS = [1e-3, 1e-2], [0.0, 0.3]
SIZES = dict(img_size=16, num_frames=4)
PROBE = dict(type='AttentiveProbe', arch='tiny', pooler=dict(num_layers=1))
EVL = dict(type='EVL', arch='tiny', decoder_num_layers=2)
VJEPA = dict(type='VJEPA2', arch='tiny', out_type='attn_pool')
CASES = {
    'probe': dict(PROBE),
    'probe, clipped': dict(PROBE),
    'EVL': dict(EVL, decoder_dropout=0.5),
    'V-JEPA 2': dict(VJEPA, tubelet_size=2, pooler=dict(num_layers=1)),
}


@pytest.fixture(scope='module')
def trunks(tmp_path_factory):
    """Write image weights of each trunk, and return their paths."""
    folder, found = tmp_path_factory.mktemp('trunks'), {}
    for name in ('ImageViT', 'VJEPA2'):
        torch.manual_seed(0)
        model = MODELS.build(dict(type=name, arch='tiny', img_size=16))
        found[name] = str(folder / f'{name}.pth')
        torch.save(model.state_dict(), found[name])
    return found


def config(listing, work_dir, trunks, case):  # noqa: F811
    backbone = {**CASES[case], **SIZES}
    kind = 'VJEPA2' if case == 'V-JEPA 2' else 'ImageViT'
    backbone['pretrained'] = trunks[kind]
    cfg = runs.recipe(listing, work_dir)
    cfg.model.backbone = backbone
    cfg.model.cls_head.update(dropout_ratio=0.5)
    if case == 'probe, clipped':
        cfg.optim_wrapper.clip_grad = dict(max_norm=1e-2)
        custom = {'cls_head': dict(lr_mult=3.0, decay_mult=0.5)}
        cfg.optim_wrapper.paramwise_cfg = dict(custom_keys=custom)
    return cfg


def trained(model, *prefixes):
    return {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(prefixes)
    }


@pytest.mark.parametrize('case', CASES)
def test_members_learn_what_single_runs_learn(
    listing,  # noqa: F811
    tmp_path,
    trunks,
    case,
):
    cfg = config(listing, tmp_path / 'sweep', trunks, case)
    runner = Runner.from_cfg(sweep_config(cfg, LRS, WDS))
    runner.train()
    sweep = runner.model
    reader = f'backbone.{sweep.backbone.reader}.'
    table = json.loads((tmp_path / 'sweep/sweep.json').read_text())
    for i, rates in enumerate(sweep.rates.values()):
        if i in (1, 2):  # two of four will do
            continue
        single = member_config(runner.cfg, rates)
        single.work_dir = str(tmp_path / str(i))
        alone = Runner.from_cfg(single)
        alone.train()
        names = {'cls_head.': f'members.{i}.cls_head.'}
        names[reader] = f'members.{i}.reader.'
        for prefix, member in names.items():
            found = trained(sweep, member)
            wanted = trained(alone.model, prefix)
            assert len(found) == len(wanted)
            for (name, x), y in zip(found.items(), wanted.values()):
                assert torch.equal(x, y), name
        metric = alone.message_hub.get_scalar('val/acc/top1').current()
        assert table['members'][i]['acc/top1'] == metric
    assert len({m['name'] for m in table['members']}) == 4


def test_the_best_is_an_ordinary_adapter_file(listing, tmp_path, trunks):  # noqa: F811
    cfg = config(listing, tmp_path, trunks, 'probe')
    runner = Runner.from_cfg(sweep_config(cfg, LRS, [0.1]))
    runner.train()
    table = json.loads((tmp_path / 'sweep.json').read_text())
    values = {m['name']: m['acc/top1'] for m in table['members']}
    assert values[table['best']] == max(values.values())
    sweep, batch = runner.model.eval(), torch.randn(2, 1, 3, 4, 16, 16)
    assert list(sweep.rates)[sweep.kept] == table['best']
    model = load_adapter(str(tmp_path / 'sweep_best.adapter.safetensors'))
    assert type(model).__name__ == 'AdaptedRecognizer'
    assert model.cfg.optim_wrapper.optimizer.lr == float(
        table['best'].split('_')[0][2:]
    )
    index = int(sweep.kept)
    with torch.no_grad():
        wanted = sweep(batch, stage='head')
        torch.testing.assert_close(model(batch, stage='head'), wanted)
        [*_] = features = sweep.features(batch)
        scores = sweep.members[index]['cls_head'](features[index])
        torch.testing.assert_close(scores, wanted)
        assert len({f.sum().item() for f in features}) == len(features)
    metrics = runner.test()
    assert metrics['acc/top1'] == values[table['best']]


class Told(BaseMetric):
    """Report of the members what it is told, epoch by epoch."""

    told = []

    def process(self, data_batch, data_samples):
        self.results += [0 for _ in data_samples]

    def compute_metrics(self, results):
        names = list(grid(LRS, [0.1]))
        return dict(zip((f'acc/{n}_top1' for n in names), self.told.pop(0)))


@pytest.fixture
def told():
    METRICS.register_module(module=Told, force=True)
    yield Told
    METRICS.module_dict.pop('Told')


def test_the_best_of_all_epochs_is_kept_and_resumed(
    listing,  # noqa: F811
    tmp_path,
    trunks,
    told,
):
    def swept(work_dir, epochs, **changes):
        cfg = config(listing, work_dir, trunks, 'probe')
        saver = dict(type='WholeCheckpointHook', save_best='auto')
        cfg.default_hooks.checkpoint = saver
        cfg.custom_hooks.append(dict(type='AdapterCheckpointHook'))
        cfg.train_cfg.max_epochs = epochs
        cfg.val_evaluator = dict(type='Told')
        cfg = sweep_config(cfg, LRS, [0.1])
        cfg.merge_from_dict(changes)
        return Runner.from_cfg(cfg)

    def run(runner, *epochs):
        told.told = list(epochs)
        runner.train()
        path = tmp_path / 'work'
        return json.loads((path / 'sweep.json').read_text()), path

    values = (0.5, 0.6), (0.7, 0.9), (0.8, 0.4)
    first, _ = run(swept(tmp_path / 'work', 2), *values[:2])
    kept = load_adapter(str(tmp_path / 'work/sweep_best.adapter.safetensors'))
    again = swept(tmp_path / 'work', 3, resume=True)
    found, path = run(again, values[2])
    for table in (first, found):
        assert (table['best'], table['best_epoch']) == ('lr0.01_wd0.1', 2)
        assert table['best_value'] == 0.9
    assert [m['acc/top1'] for m in found['members']] == [0.8, 0.4]
    best = load_adapter(str(path / 'sweep_best.adapter.safetensors'))
    (checkpoint,) = path.glob('best_acc_top1_epoch_2.pth')
    saved = torch.load(checkpoint, weights_only=False)['state_dict']
    for name, value in best.state_dict().items():
        assert torch.equal(value, kept.state_dict()[name])
        assert torch.equal(value, saved[name])
        assert torch.equal(value, again.model.state_dict()[name])
    assert torch.equal(
        saved['cls_head.fc_cls.weight'],
        saved['members.1.cls_head.fc_cls.weight'],
    )
    assert not list(path.glob('epoch_*.adapter.safetensors'))
    swapped = swept(tmp_path / 'work', 4, resume=True)
    swapped.model.rates = dict(reversed(swapped.model.rates.items()))
    with pytest.raises(ValueError, match='is of a sweep of.*this run sweeps'):
        swapped.train()


def test_what_makes_members_one_is_refused(listing, tmp_path, trunks):  # noqa: F811
    cfg = sweep_config(config(listing, tmp_path, trunks, 'probe'), LRS, WDS)
    cfg.param_scheduler = dict(type='OneCycleLR', eta_max=0.1, total_steps=9)
    with pytest.raises(ValueError, match='OneCycleLR gives all groups one'):
        Runner.from_cfg(cfg).train()
    cfg.pop('param_scheduler')
    cfg.custom_hooks.append(dict(type='EMAHook'))
    with pytest.raises(ValueError, match='EMAHook averages'):
        Runner.from_cfg(cfg).train()


def test_an_ordinary_checkpoint_starts_all_members(listing, tmp_path, trunks):  # noqa: F811
    cfg = config(listing, tmp_path, trunks, 'probe')
    torch.manual_seed(5)
    alone = MODELS.build(dict(cfg.model, type='AdaptedRecognizer'))
    sweep = MODELS.build(sweep_config(cfg, LRS, WDS).model)
    sweep.load_state_dict(alone.state_dict(), strict=True)
    state = sweep.state_dict()
    for i in range(4):
        for place, part in (('backbone.probe', 'reader'), ('cls_head',) * 2):
            for name, value in trained(alone, f'{place}.').items():
                member = name.replace(place, f'members.{i}.{part}', 1)
                assert torch.equal(state[member], value)
    assert sweep.kept == -1


def test_members_are_all_pairs():
    rates = grid()
    assert len(rates) == len(RATES) * len(DECAYS) == 20
    assert rates['lr0.003_wd0.4'] == (3e-3, 0.4)
    for wrong in (dict(lr=[]), dict(lr=[1, 1]), dict(weight_decay=[-1])):
        with pytest.raises(ValueError, match='at least one of each'):
            grid(**wrong)


@pytest.mark.parametrize(
    'change,message',
    [
        (dict(type='ImageViT'), 'ImageViT, without a reader.*sweep Att'),
        (
            dict(type='VJEPA2', out_type='avg_featmap'),
            "VJEPA2, without a reader.*out_type='attn_pool'",
        ),
        (dict(PROBE, full_finetune=True), 'trunk of AttentiveProbe is train'),
    ],
)
def test_what_cannot_be_swept_is_refused(change, message):
    head = dict(type='Float32I3DHead', num_classes=3, in_channels=32)
    backbone = dict(change, arch='tiny', img_size=16)
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='ProbeSweep', backbone=backbone, cls_head=head))


def test_several_tasks_are_refused():
    head = dict(type='MultiTaskVideoHead', num_classes=dict(a=2, b=3))
    backbone = dict(PROBE, img_size=16)
    with pytest.raises(ValueError, match='of several tasks.*a task alone'):
        MODELS.build(
            dict(
                type='ProbeSweep',
                backbone=backbone,
                cls_head=dict(head, in_channels=32),
            )
        )


def test_what_is_compared_is_reported_or_refused(listing, tmp_path, trunks):  # noqa: F811
    cfg = config(listing, tmp_path, trunks, 'probe')
    lost = sweep_config(cfg, LRS, [0.1], monitor='acc/f1')
    with pytest.raises(ValueError, match='acc/lr0.001_wd0.1_f1.*AccMetric'):
        Runner.from_cfg(lost).train()
    hook = dict(type='ProbeSweepHook', rule='most')
    with pytest.raises(ValueError, match="rule='most'"):
        HOOKS.build(hook)
    cfg.custom_hooks.append(dict(hook, rule='less'))
    with pytest.raises(ValueError, match='not a Recognizer3D.*ProbeSweep'):
        Runner.from_cfg(cfg).train()
    cfg.custom_hooks.pop()
    cfg.optim_wrapper.constructor = 'SweepOptimConstructor'
    with pytest.raises(ValueError, match='got a Recognizer3D'):
        Runner.from_cfg(cfg).train()


def test_losses_are_summed(listing, tmp_path, trunks):  # noqa: F811
    cfg = sweep_config(config(listing, tmp_path, trunks, 'probe'), LRS, WDS)
    model = MODELS.build(cfg.model)
    model.init_weights()
    data = [torch.randint(0, 255, (1, 3, 4, 16, 16)) for _ in range(2)]
    sample = MODELS.build(cfg.model).cls_head
    assert sample is not model.cls_head
    samples = [ActionDataSample().set_gt_label(i) for i in range(2)]
    batch = dict(inputs=data, data_samples=samples)
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    total, _ = model.parse_losses(losses)
    own = [v for k, v in losses.items() if k.endswith('/loss_cls')]
    assert len(own) == 4 and math.isclose(total, sum(own), rel_tol=1e-6)
    assert len({loss.item() for loss in own}) == 1  # all start alike
