"""Several adapters share one trunk, and what they compute alike."""

import copy
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from mmaction.apis import inference_recognizer
from torch.testing import assert_close

from mmvidadapt.apis import MultiAdapter, load_adapter
from mmvidadapt.models import ImageViT
from mmvidadapt.weights.adapter_file import read_adapter
from tests.adapters import (
    METHODS,
    assert_as_alone,
    config_of,
    write_adapter,
    write_adapters,
    write_trunk,
)

every_method = pytest.mark.parametrize('method', METHODS)


def held(models):
    """Count the bytes that models hold, memory in common once."""
    storages = {
        t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
        for model in models
        for t in (*model.parameters(), *model.buffers())
    }
    return sum(storages.values())


@every_method
def test_each_gives_what_it_gives_alone(method, tmp_path, trunk, video):
    paths = write_adapters(tmp_path, trunk, method, 3)
    multi = MultiAdapter(paths)
    assert list(multi) == list(paths) and len(multi) == 3
    assert_as_alone(multi, paths, video)
    together = scores(multi, video)
    assert list(together) == list(paths)
    again = {n: inference_recognizer(multi[n], video) for n in paths}
    assert equal({n: r.pred_score for n, r in again.items()}, together)
    a, b, c = together.values()
    assert not (torch.equal(a, b) or torch.equal(b, c) or torch.equal(a, c))


def test_adapters_of_different_methods_and_sizes_share_a_trunk(
    tmp_path, trunk, trained
):
    video = str(trained.folder / 'videos/long.mp4')
    paths = {}
    for method in ('aim', 'lora', 'evl', 'evl_half', 'probe', 'vpt'):
        paths.update(write_adapters(tmp_path, trunk, method, 1))
    config = config_of('aim', trunk, adapter_scale=1.0, num_t_adapters=2)
    config.model.cls_head.num_classes = 7
    paths['other'] = write_adapter(tmp_path, 'other', config)[0]
    config = config_of('aim', trunk)
    config.test_pipeline[1].frame_interval = 8
    paths['slower'] = write_adapter(tmp_path, 'slower', config)[0]
    multi = MultiAdapter(paths)
    assert_as_alone(multi, paths, video)
    assert len(multi['other'].cls_head.fc_cls.bias) == 7
    weights = [m.backbone.conv1.weight for m in multi.models.values()]
    pointers = Counter(weight.data_ptr() for weight in weights)
    # The patches of one, in half precision, are others.
    assert sorted(pointers.values()) == [1, 7]


def test_only_what_computes_alike_is_computed_once(tmp_path, trunk):
    elsewhere = shutil.copy(trunk, tmp_path / 'copy.pth')
    given = {
        'same': {},
        'elsewhere': {'model.backbone.pretrained': str(elsewhere)},
        'scaled': {'model.backbone.adapter_scale': 0.3},
        'mean': {'model.data_preprocessor.mean': [1.0, 2.0, 3.0]},
        'slower': {'test_pipeline.1.frame_interval': 8},
    }
    paths = {}
    for name, changes in given.items():
        config = config_of('aim', trunk)
        config.merge_from_dict(changes)
        paths[name] = write_adapter(tmp_path, name, config)[0]
    groups = [['same', 'elsewhere'], ['scaled'], ['mean'], ['slower']]
    assert MultiAdapter(paths).groups == groups


def test_ten_adapters_hold_one_trunk(tmp_path, trunk):
    """Bytes of distinct storages: a trunk, and ten times what is its own."""
    paths = write_adapters(tmp_path, trunk, 'aim', 10)
    models = list(MultiAdapter(paths).models.values())
    own = [
        sum(t.nbytes for t in read_adapter(path).tensors.values())
        for path in paths.values()
    ]
    frozen = held([load_adapter(next(iter(paths.values())))]) - own[0]
    # Beside them only mean and std of the pixels, two times three numbers.
    assert held(models) == frozen + sum(own) + 24 * 9


def test_the_trunk_is_read_once(tmp_path, trunk, monkeypatch):
    paths = write_adapters(tmp_path, trunk, 'aim', 3)
    read = []
    right = torch.load

    def load(path, *args, **kwargs):
        read.append(path)
        return right(path, *args, **kwargs)

    monkeypatch.setattr(torch, 'load', load)
    MultiAdapter(paths)
    assert read == [trunk]


def test_to_switch_takes_microseconds_and_copies_nothing(tmp_path, trunk):
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'aim', 3))
    names = list(multi) * 100
    start = time.thread_time()
    models = [multi[name] for name in names]
    assert (time.thread_time() - start) / len(names) < 200e-6
    assert models[0] is models[3] is not models[1]


def test_classes_have_their_names(tmp_path, trunk, video):
    config = config_of('aim', trunk)
    named, _ = write_adapter(tmp_path, 'named', config, classes=list('wxyz'))
    plain, _ = write_adapter(tmp_path, 'plain', config)
    multi = MultiAdapter([named, plain])
    best = multi.classify(video, topk=2)
    assert list(best) == ['named', 'plain']
    score = multi.predict(video)['named'].pred_score
    (first, value), _ = best['named']
    assert first == 'wxyz'[score.argmax()]
    assert value == score.max().item()
    assert {name for name, _ in best['plain']} < set('0123')
    assert len(multi.classify(video)['plain']) == 4


def test_adapters_of_two_trunks_are_refused(tmp_path, trunk):
    other = write_trunk(tmp_path / 'other.pth', seed=1)
    a = write_adapters(tmp_path, trunk, 'aim', 1)['aim0']
    for method in ('aim', 'lora'):  # of lora's trunk, aim lacks a norm
        b, _ = write_adapter(tmp_path, 'b', config_of(method, other))
        with pytest.raises(ValueError, match=f'{b} was trained on the') as e:
            MultiAdapter([a, b])
        assert trunk in str(e.value) and other in str(e.value)


def test_the_trunk_may_have_moved(tmp_path, trunk, video):
    paths = write_adapters(tmp_path, trunk, 'aim', 2)
    moved = str(tmp_path / 'moved.pth')
    Path(trunk).rename(moved)
    with pytest.raises(FileNotFoundError, match='trunk.pth'):
        MultiAdapter(paths)
    assert len(MultiAdapter(paths, moved).predict(video)) == 2


def test_names_are_checked(tmp_path, trunk):
    path = write_adapters(tmp_path, trunk, 'lora', 1)['lora0']
    multi = MultiAdapter([path])
    assert list(multi) == ['lora0']
    with pytest.raises(ValueError, match=r"'lora1'; choose from \['lora0'\]"):
        multi['lora1']
    with pytest.raises(ValueError, match='have one name'):
        MultiAdapter([path, path])


def scores(multi, video):
    """Give the scores of all adapters."""
    return {n: r.pred_score for n, r in multi.predict(video).items()}


def equal(some, others):
    """Whether scores are the same to the bit."""
    return list(some) == list(others) and all(
        torch.equal(some[name], others[name]) for name in some
    )


def test_threads_get_what_one_gets(tmp_path, trunk, trained):
    videos = [str(trained.folder / f'videos/part{i}.mp4') for i in range(3)]
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'lora', 3))
    wanted = [scores(multi, video) for video in videos]
    assert not equal(wanted[0], wanted[1])
    alone = inference_recognizer(multi['lora1'], videos[0]).pred_score
    for name in multi:  # let other threads go on in the middle
        norm = multi[name].backbone.transformer.resblocks[1].ln_1
        norm.register_forward_pre_hook(lambda *args: time.sleep(0.004))

    def work(i):
        if i % 4 == 3:  # a recognizer by itself, beside the others
            found = inference_recognizer(multi['lora1'], videos[0])
            return torch.equal(found.pred_score, alone)
        return equal(scores(multi, videos[i % 4]), wanted[i % 4])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(24)))
    assert equal(scores(multi, videos[0]), wanted[0])
    modules = [module for name in multi for module in multi[name].modules()]
    assert not {'forward', 'embed', 'patchify'} & set().union(
        *map(vars, modules)
    )


def fail(*args):
    """Fail as a hook of a user may."""
    raise RuntimeError('in the middle')


@pytest.mark.parametrize('method', ['lora', 'evl', 'probe'])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    method, tmp_path, trunk, video
):
    multi = MultiAdapter(write_adapters(tmp_path, trunk, method, 3))
    wanted = scores(multi, video)
    before = [vars(m).copy() for a in multi for m in multi[a].modules()]
    model = multi[f'{method}1']
    modules = [model.backbone, model.cls_head]
    if method != 'probe':  # which computes no part of its backbone again
        modules.append(model.backbone.ln_pre)
    for module in modules:
        hook = module.register_forward_hook(fail)
        with pytest.raises(RuntimeError, match='in the middle'):
            multi.predict(video)
        hook.remove()
        after = [vars(m) for a in multi for m in multi[a].modules()]
        assert [set(v) for v in after] == [set(v) for v in before]
        assert equal(scores(multi, video), wanted)
    with pytest.raises(FileNotFoundError):
        multi.predict('nowhere.mp4')
    assert equal(scores(multi, video), wanted)


def test_a_function_that_others_put_there_stays(tmp_path, trunk, video):
    """Some libraries wrap ``forward`` of single modules."""
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'evl', 2))
    wanted, calls = scores(multi, video), []
    module = multi['evl0'].backbone.ln_pre
    right = module.forward

    def wrapped(x):
        calls.append(x.shape)
        return right(x)

    module.forward = wrapped
    for count in (1, 2):
        assert equal(scores(multi, video), wanted)
        assert module.forward is wrapped and len(calls) == count


def test_weights_that_were_exchanged_are_never_shared(tmp_path, trunk, video):
    """What is common is seen at every call, not once for ever."""
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'probe', 3))
    for name in ('probe1', 'probe2'):
        other = ImageViT(arch='tiny', img_size=16).parameters()
        for param, new in zip(multi[name].backbone.parameters(), other):
            param.data = new.data
    alone = {n: inference_recognizer(multi[n], video) for n in multi}
    wanted = {name: result.pred_score for name, result in alone.items()}
    assert_close(scores(multi, video), wanted, rtol=0, atol=1e-6)


def test_a_copy_gives_the_same(tmp_path, trunk, video):
    multi = MultiAdapter(write_adapters(tmp_path, trunk, 'lora', 2))
    found, wanted = scores(copy.deepcopy(multi), video), scores(multi, video)
    assert_close(found, wanted)  # tensors lie elsewhere: another last digit
