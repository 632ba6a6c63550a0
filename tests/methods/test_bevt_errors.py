"""What BEVT says of sizes, masks, samples and tokenizers that do not fit."""

import pytest
import torch

from tests.methods.bevt_samples import (
    build,
    image_batch,
    tiny_bevt,
    tiny_pretrainer,
    video_batch,
)


def test_bad_masks_are_named():
    model = tiny_bevt()
    x = torch.randn(2, 3, 8, 32, 32)
    mask = torch.rand(2, 4, 8, 8) < 0.4
    for bad in (mask[:, :2], mask.int(), mask[..., :4]):
        with pytest.raises(ValueError, match='The mask of the video stream'):
            model(x, bad)
    with pytest.raises(ValueError, match='expects'):
        tiny_bevt(streams=('image',))(x, mask)


@pytest.mark.parametrize(
    'change, words',
    [
        (dict(input_size=4), 'grid of .4, 4. tokens.*have .8, 8.'),
        (dict(vocab_size=9), 'vocabulary of 9 tokens.*num_classes=16'),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_named(change, words):
    config = tiny_pretrainer()
    config['tokenizer'].update(change)
    with pytest.raises(ValueError, match=words):
        build(config)


def test_bad_samples_are_named():
    model = build(tiny_pretrainer())
    data = video_batch()
    data['data_samples'][1].pop('view')
    with pytest.raises(ValueError, match=r'Samples \[1\].*TokenizerView'):
        model(data, mode='loss')
    data['data_samples'][0].pop('mask')
    with pytest.raises(ValueError, match=r'Samples \[0\].*TubeMask'):
        model(data, mode='loss')
    with pytest.raises(ValueError, match='batch of the image stream is emp'):
        model(
            dict(inputs=torch.zeros(0, 3, 32, 32), data_samples=[]),
            mode='loss',
        )
    with pytest.raises(ValueError, match='no batch of'):
        model.loss(())
    nothing = image_batch()
    for sample in nothing['data_samples']:
        sample.mask[:] = False
    with pytest.raises(ValueError, match='No token of the image stream is'):
        model(nothing, mode='loss')


def test_tokens_beyond_the_vocabulary_are_named():
    head = build(tiny_pretrainer()).cls_head
    rows = torch.randn(3, 32)
    for ids in ([0, 16, 3], [0, -1, 3]):
        with pytest.raises(ValueError, match='the vocabulary has 16'):
            head.loss(rows, torch.tensor(ids), 'video')
    with pytest.raises(ValueError, match='3 positions.*2 tokens'):
        head.loss(rows, torch.tensor([1, 2]), 'image')
