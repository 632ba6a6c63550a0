"""DALL-E, VQ-KD and VQ-VAE: their numbers, names and sizes."""

import pytest
import torch
from mmaction.registry import MODELS
from mmpretrain.models.selfsup.cae import DALLEEncoder
from torch.nn import functional as F
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.methods.bevt.tokenizers import DALLETokenizer
from mmvidadapt.methods.bevt.tokenizers.dalle_decoder import DALLEDecoder
from tests.golden import assert_output, goldens, load_golden
from tests.methods.tokenizer_samples import TOKENIZERS, build, pictures


@pytest.mark.parametrize('path', goldens('dalle_encoder_*.pt'))
def test_dalle_matches_the_official_encoder(path, tmp_path):
    golden = load_golden(path)
    torch.save(golden['state_dict'], tmp_path / 'encoder.pth')
    kwargs = golden['meta']['kwargs']
    tokenizer = DALLETokenizer(
        pretrained=str(tmp_path / 'encoder.pth'),
        vocab_size=kwargs['vocab_size'],
        n_hid=kwargs['n_hid'],
        n_blk_per_group=kwargs['n_blk_per_group'],
        input_size=golden['input'].shape[-1],
    )
    frames = golden['input_uint8']
    tokenizer.load()
    rows = tokenizer.features(frames.float())
    last = tokenizer.encoder.blocks.output.conv
    logits = F.linear(rows, last.w.flatten(1), last.b).permute(0, 3, 1, 2)
    assert_output(logits.contiguous(), golden['output'])
    sure = golden['margin'] > 1e-4
    assert sure.float().mean() > 0.9
    ids = tokenizer.tokenize(frames)
    assert torch.equal(ids[sure], golden['ids'][sure])
    assert torch.equal(tokenizer.tokenize_at(frames, sure), ids[sure])


def test_dalle_at_full_size_is_the_published_encoder():
    with torch.device('meta'):
        encoder = DALLEEncoder(device='meta')
    numbers = sum(p.numel() for p in encoder.parameters())
    assert round(numbers / 1e6, 2) == 53.79
    tokenizer = DALLETokenizer()
    assert (tokenizer.vocab_size, tokenizer.grid) == (8192, (14, 14))
    tokenizer.to('meta')
    with FlopCounterMode(display=False) as counter:
        rows = tokenizer.features(torch.empty(1, 3, 112, 112, device='meta'))
        before = counter.get_total_flops()
        tokenizer.classify(rows.flatten(0, 2))
    total = counter.get_total_flops()
    assert round(total / 2e9, 2) == 26.06  # multiply-adds of a picture
    assert round((total - before) / 2e9, 2) == 3.29


def test_the_last_convolution_runs_at_masked_positions_only():
    tokenizer = build('dalle')
    frames = pictures(tokenizer)
    mask = torch.zeros(3, 4, 4, dtype=torch.bool)
    mask[:, 1:3, 2] = True
    costs = []
    for where in (torch.ones_like(mask), mask):
        with FlopCounterMode(display=False) as counter:
            tokenizer.tokenize_at(frames, where)
        costs.append(counter.get_total_flops())
    rows, width = mask.numel() - mask.sum().item(), 8 * 8
    assert costs[0] - costs[1] == 2 * rows * width * tokenizer.vocab_size


def test_vqkd_gives_the_ids_of_mmpretrain():
    tokenizer = build('vqkd')
    codes = tokenizer.vqkd.quantize.embedding.weight
    codes.mul_(torch.rand(len(codes), 1))  # lengths decide now, too
    frames = pictures(tokenizer)
    theirs = tokenizer.vqkd.get_tokens(frames / 127.5 - 1)['token']
    ids = tokenizer.tokenize(frames)
    assert torch.equal(ids.flatten(1), theirs)
    before = tokenizer.vqkd.quantize.cluster_size.clone()
    tokenizer.tokenize(frames)
    assert torch.equal(tokenizer.vqkd.quantize.cluster_size, before)


def test_vqkd_loads_published_names(tmp_path):
    source = build('vqkd')
    torch.manual_seed(5)
    weights = {
        name: torch.randn_like(value)
        for name, value in source.vqkd.state_dict().items()
        if 'quantize.cluster_size' not in name and 'initted' not in name
    }
    weights['decoder.cls_token'] = torch.zeros(1)
    path = str(tmp_path / 'vqkd.pth')
    torch.save(dict(state_dict=weights), path)
    loaded = build('vqkd', pretrained=path)
    loaded.load()
    state = loaded.vqkd.state_dict()
    assert all(
        torch.equal(state[name], value)
        for name, value in weights.items()
        if not name.startswith('decoder')
    )
    del weights['encoder.cls_token']
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(ValueError, match=r'missing.*: encoder\.cls_token'):
        build('vqkd', pretrained=path).tokenize(pictures(source))


def test_vqvae_has_the_documented_names(tmp_path):
    tokenizer = build('vqvae')
    names = set(tokenizer.state_dict())
    for name in (
        'encoder.conv_in.weight',
        'encoder.down.0.block.1.norm1.weight',
        'encoder.down.1.block.0.nin_shortcut.bias',
        'encoder.down.1.downsample.conv.weight',
        'encoder.down.2.attn.1.proj_out.weight',
        'encoder.mid.attn_1.q.bias',
        'encoder.mid.block_2.conv2.weight',
        'encoder.norm_out.weight',
        'encoder.conv_out.bias',
        'quant_conv.weight',
        'quantize.embedding.weight',
    ):
        assert name in names
    assert not any(
        name.startswith(('encoder.down.2.downsample', 'encoder.down.0.attn'))
        for name in names
    )
    weights = tokenizer.state_dict()
    extra = {'decoder.conv_in.weight': torch.zeros(1), 'loss.x': torch.ones(1)}
    torch.save(dict(weights, **extra), tmp_path / 'vq.pth')
    torch.manual_seed(7)
    other = MODELS.build(
        dict(
            TOKENIZERS['vqvae'],
            vocab_size=512,
            pretrained=str(tmp_path / 'vq.pth'),
        )
    )
    frames = pictures(tokenizer)
    assert torch.equal(other.tokenize(frames), tokenizer.tokenize(frames))


def test_vqvae_at_full_size_has_pecos_contract():
    with torch.device('meta'):
        tokenizer = MODELS.build(dict(type='VQVAETokenizer'))
    assert (tokenizer.vocab_size, tokenizer.grid) == (8192, (14, 14))
    assert tokenizer.quantize.embedding.weight.shape == (8192, 256)
    # The encoder of the VQGAN of a sixteenth of the side.
    numbers = sum(p.numel() for p in tokenizer.encoder.parameters())
    assert numbers == 29_298_176


def plain_vqvae(weights, x):
    """Encode (M, 3, 16, 16) by the names of the weights alone."""

    def conv(name, x, **options):
        name = f'encoder.{name}' if name != 'quant_conv' else name
        kernel = weights[f'{name}.weight']
        bias = weights[f'{name}.bias']
        return F.conv2d(x, kernel, bias, **options)

    def norm(name, x):
        scale, shift = (
            weights[f'encoder.{name}.{part}'] for part in ('weight', 'bias')
        )
        return F.group_norm(x, min(32, x.shape[1]), scale, shift, 1e-6)

    def swish(x):
        return x * x.sigmoid()

    def block(name, x):
        y = conv(f'{name}.conv1', swish(norm(f'{name}.norm1', x)), padding=1)
        y = conv(f'{name}.conv2', swish(norm(f'{name}.norm2', y)), padding=1)
        if f'encoder.{name}.nin_shortcut.weight' in weights:
            x = conv(f'{name}.nin_shortcut', x)
        return x + y

    def attn(name, x):
        y = norm(f'{name}.norm', x)
        q, k, v = (conv(f'{name}.{part}', y).flatten(2) for part in 'qkv')
        scores = torch.einsum('mci,mcj->mij', q, k) / q.shape[1] ** 0.5
        y = torch.einsum('mij,mcj->mci', scores.softmax(-1), v)
        return x + conv(f'{name}.proj_out', y.view_as(x))

    x = conv('conv_in', x, padding=1)
    for level in range(3):
        for i in range(2):
            x = block(f'down.{level}.block.{i}', x)
            x = attn(f'down.{level}.attn.{i}', x) if level == 2 else x
        if level < 2:  # a border right and below
            x = F.pad(x, (0, 1, 0, 1))
            x = conv(f'down.{level}.downsample.conv', x, stride=2)
    x = block('mid.block_1', x)
    x = block('mid.block_2', attn('mid.attn_1', x))
    x = conv('conv_out', swish(norm('norm_out', x)), padding=1)
    return conv('quant_conv', x).permute(0, 2, 3, 1)


def test_vqvae_is_its_plain_formulation():
    tokenizer = build('vqvae')
    for param in tokenizer.parameters():
        param.normal_(std=0.2)
    frames = pictures(tokenizer)
    expected = plain_vqvae(tokenizer.state_dict(), frames / 127.5 - 1)
    assert_close(tokenizer.features(frames), expected, rtol=1e-4, atol=1e-4)
    codes = tokenizer.quantize.embedding.weight
    ids = torch.cdist(expected.flatten(0, 2), codes).argmin(1)
    assert torch.equal(tokenizer.tokenize(frames).flatten(), ids)


def test_the_decoder_of_dalle_is_its_dense_formulation():
    decoder = DALLEDecoder(16, n_init=8, n_hid=8).requires_grad_(False)
    for param in decoder.parameters():  # biases start at zero
        param.normal_(std=0.3)
    ids = torch.randint(16, (2, 3, 3))
    x = F.one_hot(ids, 16).permute(0, 3, 1, 2).float()
    for part in decoder.blocks:
        x = part(x)
    assert x.shape == (2, 6, 24, 24)
    assert_close(decoder(ids), x[:, :3].sigmoid())
    block = decoder.blocks.group_2.block_1
    kernels = [block.res_path[i].kw for i in (1, 3, 5, 7)]
    assert kernels == [1, 3, 3, 3] and block.gain == 1 / 64
