"""LoRA merged: a plain ViT, from a model and from a checkpoint."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch.testing import assert_close

from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.apis.use.merge import merge_checkpoint
from mmvidadapt.models import ImageViT, LoRA
from tests import runs
from tests.methods.test_petl import VIDEO, every_dialect, randomize, tiny
from tests.tools.processes import call


@every_dialect
@pytest.mark.parametrize('name', ['lora', 'lora_everywhere'])
def test_merging_gives_a_plain_vit_with_equal_outputs(name, dialect):
    model = randomize(tiny(name, dialect=dialect), trained_only=False)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    vit, video = model.merge(), torch.randn(VIDEO)
    assert type(vit) is ImageViT
    assert not any(p.requires_grad for p in vit.parameters())
    wanted = model(video).detach()
    assert_close(vit(video), wanted, rtol=0, atol=2e-5 * wanted.abs().max())
    for key, value in model.state_dict().items():  # it stays as it was
        assert torch.equal(value, before[key])
    changed = {
        key
        for key, value in vit.state_dict().items()
        if not torch.equal(value, before[key])
    }
    ends = ['in_proj_weight'] + ['out_proj.weight'] * ('every' in name)
    assert changed == {
        f'transformer.resblocks.{i}.attn.{end}' for i in (0, 1) for end in ends
    }
    assert not {v.data_ptr() for v in vit.state_dict().values()} & {
        v.data_ptr() for v in model.state_dict().values()
    }


def test_only_targeted_rows_change():
    model = randomize(tiny('lora'), trained_only=False)
    block, vit = model.transformer.resblocks[1], model.merge()
    merged = vit.transformer.resblocks[1].attn.in_proj_weight.chunk(3)
    for name, old, new in zip(
        'qkv', block.attn.in_proj_weight.chunk(3), merged, strict=True
    ):
        if name == 'k':
            assert torch.equal(new, old)
        else:
            update = block.lora[name]
            wanted = 6 / 3 * update.B @ update.A
            assert_close(new - old, wanted, rtol=1e-4, atol=1e-5)
            assert torch.linalg.matrix_rank(new - old, rtol=1e-4) == 3


def test_merging_keeps_sizes_precision_and_mode():
    model = tiny(
        'lora',
        arch=dict(
            embed_dims=24, num_layers=2, num_heads=2, patch_size=4, mlp_ratio=2
        ),
        img_size=(8, 12),
        with_cp=True,
        drop_path_rate=0.25,
        trainable=(r'.*\.B',),
    )
    vit = randomize(model.double().eval()).merge()
    assert vit.patch_grid == (2, 3)
    assert not vit.with_cp and not vit.training
    assert vit.transformer.resblocks[-1].drop_path.rate == 0.25
    video = torch.randn(1, 3, 2, 8, 12, dtype=torch.float64)
    assert vit(video).dtype == torch.float64
    assert_close(vit(video), model(video), rtol=0, atol=1e-12)


MERGED = dict(
    ImageViT=('merge_lora.py', dict(type='LoRA', rank=3)),
    ShiftedViT=('merge.py', dict(type='ZeroI2V', num_frames=4)),
)


@pytest.fixture
def trained(tmp_path, request):
    """Write the config and the checkpoint of a recognizer that merges."""
    config = runs.recipe(tmp_path / 'list.txt', tmp_path)
    _, backbone = MERGED[getattr(request, 'param', 'ImageViT')]
    config.model.backbone = dict(backbone, arch='tiny', img_size=16)
    torch.manual_seed(0)
    model = randomize(MODELS.build(config.model), trained_only=False).eval()
    path = tmp_path / 'lora.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    config.dump(tmp_path / 'lora.py')
    return config, path, model


@pytest.mark.parametrize(
    'trained, kind', [(k, k) for k in MERGED], indirect=['trained']
)
def test_a_checkpoint_is_merged_with_its_config(
    trained, kind, tmp_path, monkeypatch, capsys
):
    _, path, model = trained
    out = tmp_path / 'plain.pth'
    call(monkeypatch, MERGED[kind][0], path.with_suffix('.py'), path, out)
    assert f'{out}' in capsys.readouterr().out
    plain = MODELS.build(Config.fromfile(tmp_path / 'plain.py').model).eval()
    assert type(plain.backbone).__name__ == kind
    load_strictly(plain, str(out))
    video = torch.randn(2, 1, 3, 4, 16, 16)
    scores = model(video, stage='head')
    assert_close(plain(video, stage='head'), scores, rtol=1e-4, atol=1e-5)
    for param in model.backbone.transformer.resblocks[0].parameters():
        param.data *= param.requires_grad - 1
    assert (model(video, stage='head') - scores).abs().max() > 1e-3


def test_what_cannot_be_merged_is_named(trained, tmp_path):
    config, path, _ = trained
    with pytest.raises(ValueError, match='plain.pt: .*ending .pth'):
        merge_checkpoint(config, str(path), tmp_path / 'plain.pt')
    config.model.backbone.rank = 2
    with pytest.raises(ValueError, match='lora.q.A'):
        merge_checkpoint(config, str(path), tmp_path / 'plain.pth')
    config.model.backbone = dict(type='ImageViT', arch='tiny', img_size=16)
    with pytest.raises(ValueError, match='ImageViT has nothing to merge'):
        merge_checkpoint(config, str(path), tmp_path / 'plain.pth')
    assert not list(tmp_path.glob('plain*'))


def test_merging_keeps_the_trunk_that_one_word_names():
    with torch.device('meta'):
        model = LoRA(trunk='openai/ViT-B-32', pretrained=None, lean=False)
        vit = model.merge()
    assert vit.patch_grid == (7, 7) and not vit.lean
    config = model.plain_config()
    assert config['arch'] == 'base-p32' and 'pretrained' not in config


@pytest.mark.parametrize('cls_token', [True, False])
def test_merging_keeps_what_is_read(cls_token):
    """The mean of all tokens, of a trunk without a class token, too."""
    model = randomize(
        tiny('lora', cls_token=cls_token, out_type='avg_featmap'),
        trained_only=False,
    )
    video = torch.randn(VIDEO)
    wanted = model(video).detach()
    assert_close(
        model.merge()(video), wanted, rtol=0, atol=2e-5 * wanted.abs().max()
    )
