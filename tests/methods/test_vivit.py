"""ViViT: the four tests of a method for its four models, goldens."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import (
    ViViT,
    ViViTFactorisedDotProduct,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from mmvidadapt.trunks.parts.lean import use_equation_
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.vivit_samples import (
    VIDEO,
    as_ours,
    clips,
    every_model,
    image_model,
    recognizer_of_hub,
    tiny,
)

every_golden = pytest.mark.parametrize('path', goldens('vivit_model*.pt'))


def mean_of_patches(vit, frame):
    """Encode a frame by an image ViT without its class token, (B, C)."""
    x = vit.embed(frame[:, :, None])[:, 1:]
    use_equation_(vit)  # all tokens of the last block
    for block in vit.transformer.resblocks:
        x = block(x)
    return vit.ln_post(x).mean(1)


@pytest.mark.parametrize('kernel', ['central', 'average'])
@pytest.mark.parametrize('tubelet_size', [1, 2, 4])
@pytest.mark.parametrize(
    'kind,given',
    [
        (ViViTFactorisedEncoder, dict(temporal_num_layers=0)),
        (ViViT, dict(out_type='avg_featmap')),
        (ViViTFactorisedSelfAttention, {}),
    ],
)
def test_a_still_clip_is_the_image_at_first(
    kind, given, kernel, tubelet_size, tmp_path
):
    """Model 4 is no image model: half of its heads see no other patch."""
    vit, path = image_model(tmp_path)
    model = tiny(
        kind,
        tubelet_size=tubelet_size,
        pretrained=path,
        inflation=dict(kernel=kernel),
        **given,
    ).eval()
    model.init_weights()
    frame = torch.randn(2, 3, *VIDEO[-2:])
    still = frame[:, :, None].expand(VIDEO)
    wanted = (
        vit(frame[:, :, None]).flatten(1)
        if model.out_type == 'cls_token'
        else mean_of_patches(vit, frame)
    )
    assert_close(model(still).flatten(1), wanted, rtol=1e-4, atol=1e-5)


@every_model
def test_some_may_be_trained(kind):
    some = tiny(kind, trainable=(r'ln_post\..*',))
    trained = {n for n, p in some.named_parameters() if p.requires_grad}
    assert trained == {'ln_post.weight', 'ln_post.bias'}


@pytest.mark.parametrize('path', goldens('vivit_hf_*.pt'))
def test_matches_hugging_face(path):
    golden = load_golden(path)
    model = recognizer_of_hub(golden)
    model.load_state_dict(golden['state_dict'], strict=True)
    scores = model(clips(golden), stage='head')
    assert_output(scores, golden['output'])
    (scores * golden['w']).sum().backward()
    assert_gradients(model, as_ours(model, golden['grads']))


@pytest.mark.parametrize('tubelet_size', [2, 4])
@pytest.mark.parametrize(
    'arch,c,layers,heads',
    [
        ('base-p16', 768, 12, 12),
        ('large-p16', 1024, 24, 16),
        ('huge-p16', 1280, 32, 16),
    ],
)
def test_sizes_of_b_l_and_h(arch, c, layers, heads, tubelet_size):
    with torch.device('meta'):
        model = ViViT(arch=arch, tubelet_size=tubelet_size)
    assert {b.attn.num_heads for b in model.transformer.resblocks} == {heads}
    block = 12 * c * c + 13 * c  # attention, MLP, biases, two norms
    kernel = 3 * tubelet_size * 16 * 16 * c + c
    tokens = 1 + 32 // tubelet_size * 14 * 14
    wanted = layers * block + kernel + (tokens + 1) * c + 2 * c
    assert count_params(model).total == wanted


@pytest.mark.parametrize('kind', [ViViT, ViViTFactorisedEncoder])
def test_the_last_block_is_computed_for_what_is_read(kind):
    """Queries, output projection and MLP of one token instead of all."""
    model, c = tiny(kind, tubelet_size=1), 32
    video = (1, 3, 4, 16, 24)
    saved = count_flops(model, video, as_published=True) - count_flops(
        model, video
    )
    heads_apart = (1 + 1 + 2 * 4) * c * c  # q, out, MLP of a token

    def spared(tokens):
        return (tokens - 1) * (heads_apart + 2 * tokens * c)

    if kind is ViViT:
        assert saved == spared(1 + 4 * 6)
    else:  # four time steps; the temporal encoder has 1 + 4 tokens
        assert saved == 4 * spared(1 + 6) + spared(1 + 4)


@every_model
def test_a_block_keeps_no_more_than_it_must(kind):
    """Tokens are not copied around the attention over time."""
    size, kept = dict(num_heads=2, embed_dims=32, patch_size=8), []
    given = dict(num_frames=64, img_size=24, out_type='avg_featmap')
    for depth in (2, 4):
        model = tiny(kind, arch=dict(size, num_layers=depth), **given)
        video = torch.ones(2, 3, 64, 24, 24)
        kept.append(saved_bytes(model, lambda m=model, v=video: m(v)))
    tokens = 2 * 32 * 9 * 32 * 4  # bytes of a map
    # Input, norm, q, k, v and what is attended; input, norm and 2 x 4 of the
    # MLP; less than half for statistics. Model 3 has one more attention,
    # model 4 puts the halves of what is attended together.
    more = {ViViTFactorisedSelfAttention: 6, ViViTFactorisedDotProduct: 1}
    assert (kept[1] - kept[0]) / 2 / tokens < 16.5 + more.get(kind, 0)


def test_norms_and_activations_are_not_kept():
    """Ten maps a block: two residuals, q, k, v, outcome, hidden layer."""
    torch.manual_seed(0)
    sizes = dict(embed_dims=64, num_layers=4, num_heads=4, patch_size=8)
    model = ViViT(
        arch=sizes, img_size=64, num_frames=8, out_type='avg_featmap'
    )
    video = torch.randn(1, 3, 8, 64, 64)
    kept = saved_bytes(model.train(), lambda: model(video))
    tokens = 4 * 64 * 64 * 4  # bytes of a map
    pixels = video.nbytes
    assert 4 * 10 * tokens < kept < 4 * 10.6 * tokens + 3 * tokens + pixels
