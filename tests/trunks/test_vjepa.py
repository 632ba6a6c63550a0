"""V-JEPA 2 and 2.1: tokens, positions, files, what is kept of a frozen one."""

import re

import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from safetensors.torch import save_file
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.models import VJEPA2, ImageViT
from mmvidadapt.trunks.parts.rotary3d import angles3d, positions3d
from mmvidadapt.weights import SOURCES, load_pretrained, load_weights_file
from mmvidadapt.weights.layouts.convert import convert
from mmvidadapt.weights.load_hooks import compare
from tests.golden import assert_output, goldens, load_golden
from tests.methods.cases.vjepa import GIVEN, model_of, recognizer

GOLDEN = goldens('trunk_hf_vjepa2_probe.pt')
every_golden = pytest.mark.parametrize('path', GOLDEN)
MEAN = dict(GIVEN, out_type='avg_featmap', pooler=None)


def tiny(**given):
    torch.manual_seed(0)
    config = {**MEAN, **given}
    config.pop('type')
    model = VJEPA2(**config).eval()
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.4)
    return model


@every_golden
def test_tokens_are_those_of_hugging_face(path):
    golden = load_golden(path)
    clip = golden['input'].transpose(1, 2)
    for lean in (True, False):
        model = recognizer(golden, out_type='featmap', lean=lean)
        model.backbone.load_state_dict(golden['state_dict'], strict=False)
        tokens = model.backbone(clip).flatten(2).mT
        assert_output(tokens, golden['tokens'])
    mean = recognizer(golden, out_type='avg_featmap').backbone
    mean.load_state_dict(model.backbone.state_dict())
    assert_output(mean(clip).flatten(1), golden['tokens'].mean(1))


def restated(model, video, taps):
    """Write V-JEPA 2.1 down once more, in complex numbers."""
    own, x = model.state_dict(), video.unfold(2, 2, 2)
    x = x.unfold(3, 8, 8).unfold(4, 8, 8)  # (B, 3, T, H, W, 2, 8, 8)
    kernel = own['conv1.weight'].flatten(1)
    x = torch.movedim(x, 1, 4).flatten(4).flatten(1, 3) @ kernel.T
    x = x + own['conv1.bias'] + own['modality_embedding']
    t, h, w = model.token_grid
    places = torch.cartesian_prod(
        *(
            torch.arange(n).double() * s
            for n, s in ((t, 1), *zip((h, w), (15, 7.5)))
        )
    )
    omega = 10000 ** -(torch.arange(2) / 2)  # heads of 16 channels: 3 x 4
    turn = torch.polar(
        torch.ones(()).double(), places[..., None] * omega
    ).flatten(1)
    turn = torch.cat([turn, torch.ones(len(turn), 2)], 1)
    found = []
    for i in range(4):

        def layer(name, x, i=i):
            name = f'transformer.resblocks.{i}.{name}'
            weights = own[f'{name}weight'], own[f'{name}bias']
            if '.ln_' in name:
                return torch.layer_norm(x, (32,), *weights, 1e-6)
            return x @ weights[0].T + weights[1]

        qkv = layer('attn.in_proj_', layer('ln_1.', x)).chunk(3, -1)
        q, k, v = (y.unflatten(-1, (2, 16)).transpose(1, 2) for y in qkv)
        q, k = (
            torch.view_as_real(
                torch.view_as_complex(y.unflatten(-1, (8, 2))) * turn
            ).flatten(-2)
            for y in (q, k)
        )
        out = (q @ k.mT / 4).softmax(-1) @ v
        x = x + layer('attn.out_proj.', out.transpose(1, 2).flatten(2))
        hidden = torch.nn.functional.gelu(
            layer('mlp.c_fc.', layer('ln_2.', x))
        )
        x = x + layer('mlp.c_proj.', hidden)
        if i in taps:
            norm = 'ln_post.' if i == 3 else f'ln_taps.{i}.'
            weights = own[f'{norm}weight'], own[f'{norm}bias']
            found.append(torch.layer_norm(x, (32,), *weights, 1e-6))
    return torch.cat(found, 1)


@pytest.mark.parametrize('taps', [(3,), (0, 2, 3)])
@pytest.mark.parametrize('lean', [True, False])
def test_2_1_is_its_description(taps, lean):
    model = tiny(
        dialect='vjepa2.1', out_type='featmap', out_indices=taps, lean=lean
    )
    model, video = model.double(), torch.randn(2, 3, 4, 16, 24).double() / 99
    tokens = model(video).flatten(2).mT
    assert_close(tokens, restated(model, video, taps), rtol=0, atol=2e-6)


def test_positions_are_counted_or_placed_between_the_same_edges():
    steps, rows, columns = positions3d((2, 3, 4)).T
    assert steps.tolist() == [0] * 12 + [1] * 12
    assert rows.tolist() == 2 * (4 * [0] + 4 * [1] + 4 * [2])
    assert columns.tolist() == 6 * [0, 1, 2, 3]
    assert positions3d((3, 16, 16), 16).equal(positions3d((3, 16, 16)))
    steps, rows, columns = positions3d((3, 24, 4), 16).T
    assert (steps.max(), rows.max(), columns.max()) == (2, 15, 15)
    assert columns[:4].tolist() == [0, 5, 10, 15]
    assert positions3d((1, 1, 1), 16).tolist() == [[0, 0, 0]]
    for kind, first in (
        ('vjepa2', [1, 0.01, 1, 0.01]),  # two angles for a pair
        ('vjepa2.1', [1, 1, 0.01, 0.01]),
    ):
        wanted = torch.tensor([*first, *[0] * 9]).double()
        assert_close(
            angles3d(kind, (2, 1, 1), 13)[1], wanted, rtol=1e-6, atol=0
        )


@pytest.mark.parametrize('dialect', ['vjepa2', 'vjepa2.1'])
def test_other_sizes_than_trained_and_the_order_of_time(dialect):
    small = tiny(dialect=dialect)
    large = tiny(dialect=dialect, img_size=(40, 16), num_frames=6)
    large.load_state_dict(small.state_dict())
    video = torch.randn(1, 3, 6, 40, 16)
    there, back = (large(v).flatten() for v in (video, video.flip(2)))
    assert there.shape == (32,) and (there - back).abs().max() > 0.01
    swapped = video.unflatten(2, (3, 2)).flip(2).flatten(2, 3)
    assert (there - large(swapped).flatten()).abs().max() > 1e-3
    for block in large.transformer.resblocks:
        block.attn.rotary = None  # then tubelets are a set
    there, swapped = (large(v) for v in (video, swapped))
    assert_close(there, swapped, rtol=1e-4, atol=1e-5)


def test_an_image_is_repeated_or_has_weights_of_its_own(tmp_path):
    clip = tiny()
    image = tiny(num_frames=1)
    image.load_state_dict(clip.state_dict())
    one = torch.randn(2, 3, 1, 16, 24)
    two = tiny(num_frames=2)
    two.load_state_dict(clip.state_dict())
    assert_close(image(one), two(one.repeat(1, 1, 2, 1, 1)))
    new = tiny(num_frames=1, dialect='vjepa2.1')
    assert new.conv1.weight.shape == (32, 3, 1, 8, 8)


def test_a_frozen_trunk_adds_nothing_to_what_a_probe_keeps():
    """The tokens, but no norm of them, no scores, no keys and no values."""
    kept = {}
    for size in ((16, 24), (64, 48)):
        for depth in (4, 8):
            arch = dict(
                embed_dims=32, num_layers=depth, num_heads=2, patch_size=8
            )
            model = tiny(
                arch=arch,
                img_size=size,
                out_type='attn_pool',
                pooler=dict(num_layers=0),
            )
            video = torch.randn(2, 3, 4, *size)
            kept[size, depth] = saved_bytes(
                model, lambda m=model, v=video: m(v)
            )
            model.requires_grad_(False)
            assert saved_bytes(model, lambda m=model, v=video: m(v)) == 0
    few, few_too, many, many_too = kept.values()
    assert few == few_too and many == many_too
    channels = (many - few) / (4 * 2 * 2 * (48 - 6))  # of a token
    assert channels == 32


# Names of Hugging Face and of the authors.
AUTHORS = (
    (r'vjepa2\.encoder\.|(?<=pooler\.)self_attention_(?=layers)', ''),
    (r'embeddings\.patch_embeddings', 'patch_embed'),
    (r'layer(s?)\.(\d)', r'blocks.\2'),
    (r'layer_norm', 'norm'),
    (r'layernorm', 'norm'),
    (r'attention\.proj|self_attn\.out_proj', 'attn.proj'),
    (r'cross_attention_layer', 'cross_attention_block'),
    (r'cross_attn\.q_proj', 'xattn.q'),
    (r'classifier', 'linear'),
)


def as_authors(weights):
    """Rename golden weights as the authors' files have them."""
    parts, fused = {}, {}
    for name, value in weights.items():
        for theirs, own in AUTHORS:
            name = re.sub(theirs, own, name)
        match = re.fullmatch(
            r'(.*)(attention|self_attn|cross_attn)\.(query|key|value|._proj)'
            r'(\..*)',
            name,
        )
        if 'predictor' in name or not match:
            parts[name] = value
        else:
            kind = 'xattn.kv' if match[2] == 'cross_attn' else 'attn.qkv'
            key = match[1] + kind + match[4]
            fused.setdefault(key, {})[match[3][0]] = value
    for key, found in fused.items():
        parts[key] = torch.cat([found[k] for k in 'qkv' if k in found])
    return parts


def load(model, path):
    load_pretrained(model, str(path), model.new, model.unused)


def only(weights, *prefixes):
    return {k: v for k, v in weights.items() if k.startswith(prefixes)}


def trunk_files(golden):
    """Yield the content of files that hold the trunk of a golden."""
    whole = golden['state_dict']
    trunk = only(whole, 'vjepa2.')
    yield whole
    yield trunk
    yield {k[7:]: v for k, v in trunk.items()}
    theirs = as_authors(only(trunk, 'vjepa2.encoder'))
    theirs = {f'module.backbone.{k}': v for k, v in theirs.items()}
    theirs['module.backbone.pos_embed'] = torch.zeros(1, 4, 64)
    noise = {k: torch.randn_like(v) for k, v in theirs.items()}
    yield dict(encoder=noise, predictor=noise, target_encoder=theirs)
    yield dict(encoder=noise, ema_encoder=theirs, epoch=3)


@every_golden
def test_all_files_of_a_trunk_are_read(path, tmp_path):
    golden = load_golden(path)
    clip = golden['input'].transpose(1, 2)
    for content in trunk_files(golden):
        torch.save(content, tmp_path / 'trunk.pt')
        model = recognizer(golden, out_type='featmap').backbone
        load(model, tmp_path / 'trunk.pt')
        assert_output(model(clip).flatten(2).mT, golden['tokens'])
        read = load_weights_file(tmp_path / 'trunk.pt')
        found = convert(read)
        assert 'vjepa2' in found.layout
        assert found.whole == (content is golden['state_dict'])
        assert set(found.matches) | set(found.leftovers) == set(read)


def probe_files(golden):
    """Yield the content of files that hold the probe of a golden."""
    whole = golden['state_dict']
    yield whole
    probe = only(whole, 'pooler.', 'classifier.')
    yield probe
    theirs = {f'module.{k}': v for k, v in as_authors(probe).items()}
    noise = {k: torch.randn_like(v) for k, v in theirs.items()}
    yield dict(classifiers=[theirs, noise], opt=None, epoch=20)


@every_golden
def test_a_released_probe_is_a_whole_recognizer(path, tmp_path):
    golden, whole = load_golden(path), str(tmp_path / 'whole.pt')
    torch.save(golden['state_dict'], whole)
    cfg = Config(dict(model=model_of(golden), test_pipeline=[]))
    models = [init_recognizer(cfg, whole, 'cpu')]
    for content in probe_files(golden):
        torch.save(content, tmp_path / 'probe.pt')
        complete = content is golden['state_dict']
        models.append(
            recognizer(golden, pretrained='nowhere' if complete else whole)
        )
        difference = compare(models[-1], torch.load(tmp_path / 'probe.pt'))
        assert not difference  # what StrictLoadHook sees
        load_checkpoint(models[-1], str(tmp_path / 'probe.pt'), strict=True)
    for model in models:
        scores = model(golden['input'].transpose(1, 2)[:, None], stage='head')
        assert_output(scores.detach(), golden['pooled'])
    trunk = recognizer(golden).backbone  # and its pooler is taken along
    load(trunk, tmp_path / 'whole.pt')
    for name, value in model.backbone.state_dict().items():
        assert trunk.state_dict()[name].equal(value), name


PROBES = [n for n in SOURCES if re.match('.*/vjepa2-.*-(ssv2|diving48)', n)]


@every_golden
@pytest.mark.parametrize('name', PROBES)
def test_a_released_probe_loads_by_name(path, name, tmp_path, monkeypatch):
    constants = pytest.importorskip('huggingface_hub.constants')
    golden = load_golden(path)
    repo = tmp_path / f'models--{name.replace("/", "--")}'
    file = repo / 'snapshots' / 'a' / 'model.safetensors'
    file.parent.mkdir(parents=True)
    save_file(golden['state_dict'], file)
    (repo / 'refs').mkdir()
    (repo / 'refs' / 'main').write_text('a')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path))
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', '1')
    model = recognizer(golden)
    load_strictly(model, name)
    scores = model(golden['input'].transpose(1, 2)[:, None], stage='head')
    assert_output(scores.detach(), golden['pooled'])


NAMES_2_1 = (
    ('image.conv1.', 'patch_embed_img.proj.'),
    ('image.modality_embedding', 'img_mod_embed'),
    ('conv1.', 'patch_embed.proj.'),
    ('modality_embedding', 'video_mod_embed'),
    ('ln_taps.', 'norms_block.'),
    ('ln_post.', 'norms_block.3.'),
    ('transformer.resblocks.', 'blocks.'),
    ('ln_', 'norm'),
    ('attn.in_proj_', 'attn.qkv.'),
    ('out_proj', 'proj'),
    ('c_fc', 'fc1'),
    ('c_proj', 'fc2'),
)


def save_2_1(folder):
    """Save a trunk as the authors do, with all that they have."""
    whole = tiny(dialect='vjepa2.1', out_indices=(0, 1, 2, 3))
    image = tiny(dialect='vjepa2.1', num_frames=1)
    own = {
        **whole.state_dict(),
        'image.conv1.weight': image.conv1.weight,
        'image.conv1.bias': image.conv1.bias,
        'image.modality_embedding': image.modality_embedding,
    }
    theirs = {}
    for name, value in own.items():
        for ours, official in NAMES_2_1:
            name = name.replace(ours, official)
        value = value[None, None] if 'mod_embed' in name else value
        theirs[f'module.backbone.{name}'] = value.detach()
    path = str(folder / 'vjepa2_1.pt')
    torch.save(dict(ema_encoder=theirs, predictor={}), path)
    return path, whole, image


@pytest.mark.parametrize('taps', [None, (3,), (1, 3), (0, 1, 2, 3)])
def test_2_1_takes_what_it_reads_of_a_file(taps, tmp_path):
    path, whole, image = save_2_1(tmp_path)
    given = dict(dialect='vjepa2.1', out_indices=taps)
    model, one = tiny(**given), tiny(**given, num_frames=1)
    for built in (model, one):
        load(built, path)
    own = whole.state_dict()
    for name, value in model.state_dict().items():
        assert value.equal(own[name]), name
    assert one.conv1.weight.equal(image.conv1.weight)
    assert one.modality_embedding.equal(image.modality_embedding)


def test_trunks_in_the_place_of_others_are_refused(tmp_path):
    path, *_ = save_2_1(tmp_path)
    models = dict(
        two=tiny(),
        image=ImageViT(arch='tiny', img_size=16, dialect='imagenet'),
    )
    files = {'2.1': path}
    for name, model in models.items():
        files[name] = str(tmp_path / f'{name}.pth')
        torch.save(model.state_dict(), files[name])
    later = tiny(dialect='vjepa2.1')
    for model, file, message in (
        (models['two'], '2.1', r'those of V-JEPA 2\.1.*built for V-JEPA 2:'),
        (later, 'two', r'those of V-JEPA 2, .*built for V-JEPA 2\.1'),
        (models['two'], 'image', "'native' belong to a vit.* is a vjepa"),
        (models['image'], 'two', "'native-vjepa2' belong to a vjepa.*a vit"),
        (models['image'], '2.1', "'vjepa2.1' belong to a vjepa.* a vit"),
    ):
        with pytest.raises(ValueError, match=message):
            load(model, files[file])
