"""Several adapters on one trunk, in one process."""

import copy
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import (
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmvidadapt.engine.adapters import (
    build_model,
    check_trunk,
    finished,
    load_trunk,
    split_names,
)
from mmvidadapt.utils.sha256 import fingerprint
from mmvidadapt.weights.adapter_file import (
    SUFFIX,
    AdapterFile,
    read_adapter,
)

from .class_names import class_names
from .class_scores import (
    best_classes,
    class_probabilities,
    raw_scores,
    tasks_of,
)
from .other_class import other_of
from .read_clip import read_clip
from .shared_prefix import SharedPrefix

# Name, type and shape: a trunk in half precision is another one.
Look = Tuple[str, torch.dtype, torch.Size]


class MultiAdapter:
    """Recognizers that differ in their adapters and share their trunk.

    Every adapter is an ordinary recognizer, ``multi['name']``, whose frozen
    parameters are references to the one trunk: to switch is to look up a
    name. Configs may differ, in classes, frames or even the method, as long
    as the image weights are the same. Several threads may use it: they take
    turns in ``predict`` and ``classify``.

    Args:
        adapters (Mapping[str, str] | Sequence[str]): Adapter files by name;
            without names, those of the files are taken.
        trunk (str, optional): Alias, URL or path of the image weights.
            Defaults to None: where the files say that they came from.
        device (str | torch.device): Where to. Defaults to 'cpu'.

    Raises:
        ValueError: If an adapter was trained on another trunk.
    """

    def __init__(
        self,
        adapters: Union[Mapping[str, str], Sequence[str]],
        trunk: Optional[str] = None,
        device: Union[str, torch.device] = 'cpu',
    ) -> None:
        if not isinstance(adapters, Mapping):
            paths = [str(path) for path in adapters]
            adapters = {stem(path): path for path in paths}
            if len(adapters) < len(paths):
                raise ValueError(
                    f'Two of {paths} have one name; give a dict of names.'
                )
        self.trunk, self.device = trunk, device
        self.source = trunk  # where the trunk came from
        self.frozen: Dict[Look, Tensor] = {}  # the trunk
        self.own: Dict[Look, Tensor] = {}  # what an adapter had first
        self.hashes: Dict[Tuple[int, ...], str] = {}
        self.models: Dict[str, nn.Module] = {}
        for name, path in adapters.items():
            self.models[name] = self._load(str(path))
        self.groups = self._groups()
        self.common: Dict[str, set] = {}  # what a group shares, by its first
        for names in self.groups:
            self._shared(names)
        self.lock = threading.RLock()

    def __getstate__(self) -> dict:
        """Leave out the lock, which cannot be copied."""
        return {k: v for k, v in vars(self).items() if k != 'lock'}

    def __setstate__(self, state: dict) -> None:
        """Make a new lock."""
        vars(self).update(state, lock=threading.RLock())

    def __getitem__(self, name: str) -> nn.Module:
        """Return the recognizer of an adapter."""
        if name not in self.models:
            raise ValueError(
                f"There is no adapter '{name}'; choose from "
                f'{sorted(self.models)}.'
            )
        return self.models[name]

    def __iter__(self) -> Iterator[str]:
        """Name the adapters."""
        return iter(self.models)

    def __len__(self) -> int:
        """Count the adapters."""
        return len(self.models)

    @torch.no_grad()
    def predict(self, video: Union[str, Path]) -> Dict[str, ActionDataSample]:
        """Classify a video with every adapter.

        Models of equal backbone and pipeline read the video once, and compute
        once whatever comes before their first own tensor: the whole trunk of
        an EVL or a linear probe, the patches of an AIM.

        Args:
            video (str | Path): The video.

        Returns:
            Dict[str, ActionDataSample]: Results by name, as mmaction2's
            ``inference_recognizer`` gives them.
        """
        results = {}
        with self.lock:  # models are altered while they are served
            for names in self.groups:
                data = read_clip(self.models[names[0]], video)
                prefix = SharedPrefix(data['inputs'], self._shared(names))
                for name in names:
                    results[name] = self._predict(name, data, prefix)
        return {name: results[name] for name in self}

    def _predict(
        self, name: str, data: dict, prefix: SharedPrefix
    ) -> ActionDataSample:
        """Classify a clip with one adapter."""
        model, samples = self.models[name], copy.deepcopy(data['data_samples'])
        with prefix.serve(model.backbone):
            (result,) = model(data['inputs'], samples, mode='predict')
        return result

    def classify(
        self, video: Union[str, Path], topk: int = 5
    ) -> Dict[str, List[Tuple[str, float]]]:
        """Name the best classes that every adapter sees in a video.

        Args:
            video (str | Path): The video.
            topk (int): How many classes to name. Defaults to 5.

        Returns:
            Dict[str, List[Tuple[str, float]]]: (class, score), best first,
            by name of the adapter.
        """
        with self.lock, ExitStack() as changes:
            for model in self.models.values():
                changes.enter_context(raw_scores(model))
            results = self.predict(video)
        best = {}
        for name, model in self.models.items():
            scores = class_probabilities(model, results[name])
            meta = dict(dataset_meta=model.dataset_meta)
            names = class_names(model.cfg, meta, len(scores))
            best[name] = best_classes(
                scores,
                names,
                topk,
                tasks_of(model),
                other_of(model.cfg, meta),
            )
        return best

    def _load(self, path: str) -> nn.Module:
        """Build the model of an adapter file upon the trunk."""
        adapter = read_adapter(path)
        model = build_model(adapter, path, self.trunk)
        _, frozen = split_names(model)
        state = model.state_dict()
        if any(look(n, state[n]) not in self.frozen for n in frozen):
            source = load_trunk(model, adapter, self.trunk)
            self.source = self.source or source
        trunk, own = {}, {}
        for name in frozen:
            key, value = look(name, state[name]), state[name]
            if key not in self.frozen:
                self.frozen[key] = value.to(self.device)
            trunk[name] = self.frozen[key]
        self._check(adapter, path, trunk)
        for name, value in adapter.tensors.items():
            value = value.to(self.device)
            known = self.own.setdefault(look(name, value), value)
            own[name] = known if torch.equal(known, value) else value
        model.load_state_dict({**trunk, **own}, assign=True)
        return finished(model.to(self.device), adapter)

    def _check(
        self, adapter: AdapterFile, path: str, trunk: Dict[str, Tensor]
    ) -> None:
        """Compare the trunk with the one that an adapter was trained on."""
        key = tuple(tensor.data_ptr() for tensor in trunk.values())
        if key not in self.hashes:
            self.hashes[key] = fingerprint(trunk)
        check_trunk(adapter, path, self.hashes[key], self.source)

    def _groups(self) -> List[List[str]]:
        """Gather the models that compute alike."""
        groups: Dict[str, List[str]] = {}
        for name, model in self.models.items():
            config = model.cfg
            backbone = dict(config.model.backbone, pretrained=None)
            said = (backbone, config.model.get('data_preprocessor'))
            key = repr((*said, config.get('test_pipeline')))
            groups.setdefault(key, []).append(name)
        return list(groups.values())

    def _shared(self, names: List[str]) -> set:
        """Find the tensors that all of some models refer to.

        Where they are others than before, all others are marked.
        """
        models = [self.models[name] for name in names]
        pointers = [
            {tensor.data_ptr() for tensor in model.state_dict().values()}
            for model in models
        ]
        common = set.intersection(*pointers)
        if common != self.common.get(names[0]):
            self.common[names[0]] = common
            for model in models:
                for param in model.parameters():
                    param.requires_grad_(param.data_ptr() not in common)
        return common


def look(name: str, tensor: Tensor) -> Look:
    """Return all of a tensor but its values: name, type, shape."""
    return name, tensor.dtype, tensor.shape


def stem(path: str) -> str:
    """Name an adapter after its file."""
    name = Path(path).name
    return name[: -len(SUFFIX)] if name.endswith(SUFFIX) else Path(path).stem
