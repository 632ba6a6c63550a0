"""What adapters compute alike is computed once, and nothing else is."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.apis import MultiAdapter, load_adapter
from mmvidadapt.apis.inspect.complexity import FUSED
from mmvidadapt.apis.use.shared_prefix import SharedPrefix
from mmvidadapt.weights.adapter_file import read_adapter
from tests.adapters import (
    assert_as_alone,
    config_of,
    write_adapter,
    write_adapters,
)

PREFIX = {'patchify', 'embed', '.ln_pre', 'b0.ln_1'}


def products(run, *args):
    """Count the multiply-adds of a function."""
    with FlopCounterMode(display=False, custom_mapping=FUSED) as counter:
        run(*args)
    return counter.get_total_flops() // 2


def counted(paths, video):
    """Count the multiply-adds of classifying with all."""
    multi = MultiAdapter(paths)
    for model in multi.models.values():
        if hasattr(model.backbone, 'decoder'):  # torch's counter fails on
            model.backbone.decoder.requires_grad_(False)  # its views
    return products(multi.predict, video)


def saved(method, path):
    """Count the multiply-adds that another adapter should save."""
    backbone = load_adapter(path).requires_grad_(False).backbone
    clip = torch.zeros(1, 3, 4, 16, 16)
    if method == 'evl':
        return products(lambda: list(backbone.taps(clip)))
    return products(backbone if method == 'probe' else backbone.patchify, clip)


@pytest.mark.parametrize(
    'method, modules',
    [
        # Everything that is the image model's: both blocks, norm, patches.
        ('evl', {'patchify', 'embed', '.ln_pre', 'b0', 'b1'}),
        ('probe', {''}),
        # Up to the first number that is an adapter's own.
        ('aim', {'patchify'}),
        ('lora', PREFIX),
        ('adaptformer', {*PREFIX, 'b0.attn'}),
        ('vpt', PREFIX),
    ],
)
def test_what_is_shared_is_the_frozen_prefix(
    method, modules, tmp_path, trunk, video, monkeypatch
):
    prefixes = []
    right = SharedPrefix.__init__

    def init(self, *args):
        prefixes.append(self)
        right(self, *args)

    monkeypatch.setattr(SharedPrefix, '__init__', init)
    multi = MultiAdapter(write_adapters(tmp_path, trunk, method, 2))
    multi.predict(video)
    (prefix,) = prefixes
    shared = {
        key[0].replace('.transformer.resblocks.', 'b')
        for key in prefix.outputs
    }
    assert shared - {'b0.drop_path'} == modules
    for model in multi.models.values():  # nothing stays behind
        for module in model.modules():
            assert not set(vars(module)) & {'forward', 'embed', 'patchify'}


@pytest.mark.parametrize('method', ['evl', 'probe', 'aim', 'lora'])
def test_sharing_saves_what_it_should(method, tmp_path, trunk, video):
    paths = write_adapters(tmp_path, trunk, method, 4)
    files = list(paths.values())
    one, four = (counted(files[:number], video) for number in (1, 4))
    less = saved(method, files[0])
    assert less > 0 and four == 4 * one - 3 * less


def test_one_trained_class_token_is_never_shared(tmp_path, trunk, video):
    """It is read in ``embed``, which no module holds."""
    token = dict(trainable=('class_embedding',))
    paths = write_adapters(tmp_path, trunk, 'probe', 2, **token)
    assert_as_alone(MultiAdapter(paths), paths, video)


def test_what_is_frozen_but_differs_is_never_shared(tmp_path, trunk, video):
    """CLIP has no bias of the patches, so it comes with the adapter."""
    paths = write_adapters(tmp_path, trunk, 'evl', 2)
    adapter = read_adapter(paths['evl1'])
    adapter.tensors['backbone.conv1.bias'] += 1
    adapter.write(paths['evl1'])
    assert_as_alone(MultiAdapter(paths), paths, video)


def test_a_backbone_that_writes_into_what_is_shared_is_named(
    tmp_path, trunk, video
):
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'probe', 2))
    model = next(iter(multi.models.values()))
    clip = torch.zeros(1, 3, 4, 16, 16)
    serve = SharedPrefix(clip, set()).serve(model.backbone)
    words = 'ImageViT changed a tensor in place, .1, 3, 4, 16, 16.'
    with pytest.raises(RuntimeError, match=words), serve:
        clip += 1


def test_last_blocks_alone_share_all_before(tmp_path, trunk, video):
    last = dict(trainable=(r'transformer\.resblocks\.1\..*',))
    paths = write_adapters(tmp_path, trunk, 'probe', 2, **last)
    multi = MultiAdapter(paths)
    two, one = counted(paths, video), counted([paths['probe0']], video)
    assert two < 1.6 * one  # the second block computes less than the first
    assert_as_alone(multi, paths, video)


def test_several_views_and_crops(tmp_path, trunk, video):
    """mmaction2 passes the views on in parts."""
    config = config_of('evl', trunk)
    config.test_pipeline[1].num_clips = 3
    config.model.test_cfg = dict(max_testing_views=2)
    paths = {name: write_adapter(tmp_path, name, config)[0] for name in 'ab'}
    assert_as_alone(MultiAdapter(paths), paths, video)
