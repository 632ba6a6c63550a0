"""mmaction2's `init_recognizer` takes files of our models whole or not."""

import gc
import re

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint_to_model

from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.models import ImageViT
from mmvidadapt.weights import load_pretrained
from mmvidadapt.weights.files.readers import load_checkpoint_file

from .loaders import ARCH
from .samples import vit
from .test_damage import DAMAGED, DAMAGED_FOR_MODELS, UNFIT, numbers

HEAD = {
    'cls_head.fc_cls.weight': torch.ones(3, 8),
    'cls_head.fc_cls.bias': torch.ones(3),
}


def config(num_classes=3):
    """Describe a recognizer of the size of the damaged files."""
    return Config(
        dict(
            model=dict(
                type='Recognizer3D',
                backbone=dict(type='ImageViT', arch=ARCH, img_size=12),
                cls_head=dict(
                    type='Float32I3DHead',
                    num_classes=num_classes,
                    in_channels=8,
                ),
            )
        )
    )


def whole(path, head=HEAD, **changes):
    """Write what a recognizer would save."""
    trunk = {f'backbone.{k}': v for k, v in vit().items()}
    torch.save(dict(state_dict={**trunk, **head, **changes}), path)


def as_recognizer(path):
    """Give the content of a file the names of a whole recognizer."""
    found = load_checkpoint_file(path)
    found = found.get('state_dict', found)
    bare = not any(name.startswith('backbone.') for name in found)
    named = {f'backbone.{k}' if bare else k: v for k, v in found.items()}
    torch.save(dict(state_dict={**named, **HEAD}), path)


@pytest.mark.parametrize('kind', [*UNFIT, *DAMAGED_FOR_MODELS])
def test_what_does_not_fit_is_refused(tmp_path, kind):
    write, reason = {**UNFIT, **DAMAGED_FOR_MODELS}[kind]
    path = tmp_path / 'x.pth'
    write(path)
    as_recognizer(path)
    with pytest.raises(ValueError, match=reason) as error:
        init_recognizer(config(), str(path), 'cpu')
    assert str(path) in str(error.value)
    assert 'ImageViT' in str(error.value)


@pytest.mark.parametrize('kind', [*DAMAGED, *UNFIT, *DAMAGED_FOR_MODELS])
def test_nothing_but_a_whole_recognizer_will_do(tmp_path, kind):
    path = tmp_path / 'x.pth'
    {**DAMAGED, **UNFIT, **DAMAGED_FOR_MODELS}[kind][0](path)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        init_recognizer(config(), str(path), 'cpu')


def test_image_weights_alone_are_named(tmp_path):
    path = str(tmp_path / 'x.pth')
    torch.save(vit(), path)
    with pytest.raises(ValueError, match='missing in the ch') as error:
        init_recognizer(config(), path, 'cpu')
    assert 'outside of the backbone: class_embedding' in str(error.value)
    assert '`pretrained` of a backbone' in str(error.value)


def test_a_whole_file_is_taken(tmp_path):
    path = str(tmp_path / 'x.pth')
    whole(path)
    model = init_recognizer(config(), path, 'cpu')
    assert torch.equal(model.cls_head.fc_cls.bias, torch.ones(3))
    for name, value in vit().items():
        assert torch.equal(model.backbone.state_dict()[name], value)


@pytest.mark.parametrize('head', [{}, {k: v[:2] for k, v in HEAD.items()}])
def test_another_head_is_named(tmp_path, head):
    path = str(tmp_path / 'x.pth')
    whole(path, head)
    with pytest.raises(ValueError, match=r'fc_cls\.weight') as error:
        init_recognizer(config(), path, 'cpu')
    assert f'{path} does not fit the cls_head' in str(error.value)


def test_fine_tuning_may_start_with_another_head(tmp_path):
    path = str(tmp_path / 'x.pth')
    whole(path)
    model = MODELS.build(config(5).model)
    model.init_weights()
    load_checkpoint(model, path)
    begun = MODELS.build(config(5).model)
    begun.init_cfg = dict(type='Pretrained', checkpoint=path)
    begun.init_weights()
    for filled in (model, begun):
        assert filled.cls_head.fc_cls.bias.shape == (5,)
        weights = filled.backbone.state_dict()
        assert all(torch.equal(weights[k], v) for k, v in vit().items())


def test_what_is_no_files_is_the_callers_to_compare(tmp_path):
    path = str(tmp_path / 'x.pth')
    whole(path, {})  # without a head
    model, held = MODELS.build(config().model), read_checkpoint(path)
    with pytest.raises(ValueError, match=f'{path} does not fit the cls_head'):
        _load_checkpoint_to_model(model, held)
    image = ImageViT(arch=ARCH, img_size=12)
    torch.save(dict(list(vit().items())[:-1]), tmp_path / 'image.pth')
    load_pretrained(image, str(tmp_path / 'image.pth'), new=(r'.*c_proj.*',))
    weights = dict(held['state_dict'])
    del held
    gc.collect()  # the traceback of the error holds it, too
    _load_checkpoint_to_model(model, dict(state_dict=weights))


def test_damage_is_refused_in_fine_tuning_too(tmp_path):
    path = tmp_path / 'x.pth'
    numbers(torch.Tensor.long)(path)
    as_recognizer(path)
    model = MODELS.build(config(5).model)
    model.init_weights()
    with pytest.raises(ValueError, match='int64 in the weights'):
        load_checkpoint(model, str(path))
