"""ViViT: the four tests of a method for its four models, goldens."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import (
    ViViT,
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
    learns,
    randomize,
    recognizer,
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


@every_model
@pytest.mark.parametrize('fresh', [True, False])
def test_gradients_reach_everything(kind, fresh):
    model = tiny(kind)
    if not fresh:
        randomize(model)
    model(torch.randn(VIDEO)).square().mean().backward()
    for name, param in model.named_parameters():
        assert learns(param), name


@every_golden
def test_matches_the_official_code_in_double_precision(path):
    """The goldens are float32: what is left is their own rounding."""
    golden = load_golden(path)
    model = recognizer(golden).double()
    weights = {k: v.double() for k, v in golden['state_dict'].items()}
    model.load_state_dict(weights, strict=True)
    scores = model(clips(golden).double(), stage='head')
    assert_output(scores.float(), golden['output'])


@every_golden
def test_tokens_are_those_of_the_official_code(path):
    golden = load_golden(path)
    model = recognizer(golden)
    model.load_state_dict(golden['state_dict'], strict=True)
    ours = model.backbone.tokens(clips(golden)[:, 0]).detach()
    wanted = golden['intermediates']['embedding']
    assert_output(ours.flatten(), wanted.flatten())


@pytest.mark.parametrize('path', goldens('vivit_hf_*.pt'))
def test_matches_hugging_face(path):
    golden = load_golden(path)
    model = recognizer_of_hub(golden)
    model.load_state_dict(golden['state_dict'], strict=True)
    scores = model(clips(golden), stage='head')
    assert_output(scores, golden['output'])
    (scores * golden['w']).sum().backward()
    assert_gradients(model, as_ours(model, golden['grads']))
