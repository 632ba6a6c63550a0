"""A recognizer that trains many readers on one pass of a frozen trunk."""

from copy import deepcopy
from typing import Any, Dict, Iterator, List, Optional

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmvidadapt.trunks.cached.backbone import CachedTrunk

from ..recognizer import AdaptedRecognizer
from .grid import grid


@MODELS.register_module()
class ProbeSweep(AdaptedRecognizer):
    """Train a reader and a head for every pair of rates, at once.

    From `V-JEPA 2 <https://arxiv.org/abs/2506.09985>`_, section 5, which
    trains 20 probes on the same features and reports the best on the
    validation set. The trunk sees every clip once. All members start alike,
    draw the same dropout and have their own optimizer groups
    (:class:`SweepOptimConstructor`), so each learns what it would learn
    alone, to the last bit on a CPU.

    A checkpoint of an ordinary recognizer starts all members.

    :class:`ProbeSweepHook` validates all members, prints and writes their
    table, and keeps the best: :meth:`keep` copies it into ``backbone`` and
    ``cls_head``, whose parameters have the names of an ordinary recognizer.
    Until then predictions are those of all members, ``pred_score`` a dict
    that ``AccMetric`` reads; from then on those of the kept one.

    Args:
        backbone (dict): Config of a backbone with a frozen trunk and a
            reader: AttentiveProbe, EVL, or VJEPA2 with
            ``out_type='attn_pool'``.
        cls_head (dict): Config of the head.
        sweep (dict, optional): ``lr`` and ``weight_decay``, lists of which
            all pairs are trained, see :func:`~.grid.grid`.
            Defaults to None: those of the paper, 5 times 4.
        **recognizer: Passed on to :class:`AdaptedRecognizer`.

    Raises:
        ValueError: If the backbone has no reader, its trunk is trained, or
            the head has several tasks.
    """

    def __init__(
        self,
        backbone: dict,
        cls_head: dict,
        sweep: Optional[dict] = None,
        **recognizer: Any,
    ) -> None:
        super().__init__(backbone, cls_head, **recognizer)
        self.rates = grid(**(sweep or {}))
        own = self.backbone
        reader = getattr(own, getattr(own, 'reader', ''), None)
        if not isinstance(own, CachedTrunk) or reader is None:
            raise ValueError(
                f'The backbone is {type(own).__name__}, without a reader of '
                'its own; sweep AttentiveProbe, EVL, or VJEPA2 with '
                "out_type='attn_pool'."
            )
        if isinstance(self.cls_head.num_classes, dict):
            raise ValueError(
                f'The head is {type(self.cls_head).__name__}, of several '
                'tasks, and members of a sweep are compared in one: sweep '
                'a task alone, then train all with its rates.'
            )
        if own.trunk_learns:
            raise ValueError(
                f'The trunk of {type(own).__name__} is trained, and members '
                'of a sweep share it: leave out full_finetune and trainable.'
            )
        parts = dict(reader=reader, cls_head=self.cls_head)
        self.members = nn.ModuleList(
            nn.ModuleDict(deepcopy(parts)) for _ in self.rates
        )
        for part in parts.values():
            part.requires_grad_(False)  # they take the winner in
        self.register_buffer('kept', torch.tensor(-1))
        self.register_buffer('kept_epoch', torch.tensor(0))
        self.register_buffer('kept_value', torch.tensor(0.0).double())
        self.register_load_state_dict_pre_hook(_start_alike)

    def init_weights(self) -> None:
        """Draw and load as the recognizer alone does; copy to all members."""
        members = self._modules.pop('members')
        super().init_weights()
        self._modules['members'] = members
        for member in self.members:
            for part, own in self._parts().items():
                member[part].load_state_dict(own.state_dict())

    def _parts(self) -> Dict[str, nn.Module]:
        """Return what takes the winner in."""
        reader = getattr(self.backbone, self.backbone.reader)
        return dict(reader=reader, cls_head=self.cls_head)

    @torch.no_grad()
    def keep(self, name: str, value: float = 0.0, epoch: int = 0) -> None:
        """Copy a member into ``backbone`` and ``cls_head``.

        Args:
            name (str): Its name in ``rates``.
            value (float): What it reached, to be remembered.
                Defaults to 0.0.
            epoch (int): When. Defaults to 0.
        """
        index = list(self.rates).index(name)
        for part, own in self._parts().items():
            own.load_state_dict(self.members[index][part].state_dict())
        self.kept.fill_(index)
        self.kept_value.fill_(value)
        self.kept_epoch.fill_(epoch)

    def alone(self) -> Iterator[nn.Module]:
        """Yield every member as part of a recognizer of its own.

        Only what is trained is in it, under the names of a single run.
        """
        for member in self.members:
            view, backbone = nn.Module(), nn.Module()
            backbone.add_module(self.backbone.reader, member['reader'])
            view.add_module('backbone', backbone)
            view.add_module('cls_head', member['cls_head'])
            yield view

    def features(self, inputs: Tensor, size: int = 0) -> List[Tensor]:
        """Read clips (B, views, ...) by all members, ``size`` at a time.

        Returns:
            List[Tensor]: Features ``(B*views, C, Q, 1, 1)`` of every member.
        """
        parts, clips = [], inputs.flatten(0, 1)
        for some in clips.split(size or len(clips)):
            taps = list(self.backbone.see(some))
            read = (
                self.backbone.read(taps, m['reader']) for m in self.members
            )
            parts.append(list(read))
        return [torch.cat(own) for own in zip(*parts)]

    def _same_draws(self, calls: list) -> list:
        """Call functions that all draw the same random numbers."""
        device = self.kept.device
        devices = [device] if device.type == 'cuda' else []
        results = []
        for call in calls[:-1]:
            with torch.random.fork_rng(devices):
                results.append(call())
        return [*results, calls[-1]()]

    def loss(
        self, inputs: Tensor, data_samples: list, **kwargs: Any
    ) -> Dict[str, Tensor]:
        """Sum up the losses of all members, each under its own name."""
        taps = list(self.backbone.see(inputs.flatten(0, 1)))

        def learn(member: nn.ModuleDict) -> dict:
            features = self.backbone.read(taps, member['reader'])
            return member['cls_head'].loss(features, data_samples)

        calls = [lambda m=member: learn(m) for member in self.members]
        losses = zip(self.rates, self._same_draws(calls))
        return {f'{n}/{k}': v for n, own in losses for k, v in own.items()}

    def predict(
        self, inputs: Tensor, data_samples: list, **kwargs: Any
    ) -> list:
        """Predict with the kept member, or with all if none is kept yet."""
        if self.kept >= 0:
            return super().predict(inputs, data_samples, **kwargs)
        size = (self.test_cfg or {}).get('max_testing_views') or 0
        scores: List[dict] = [{} for _ in data_samples]
        members = zip(self.rates, self.members, self.features(inputs, size))
        for name, member, features in members:
            fresh = [ActionDataSample() for _ in data_samples]
            found = member['cls_head'].predict(features, fresh)
            for own, sample in zip(scores, found):
                own[name] = sample.pred_score
        for own, sample in zip(scores, data_samples):
            sample.set_field(own, 'pred_score')
        return data_samples


def _start_alike(
    model: ProbeSweep, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Start all members from the checkpoint of an ordinary recognizer."""
    if any(name.startswith(f'{prefix}members.') for name in state_dict):
        return
    reader = f'backbone.{model.backbone.reader}'
    for part, place in (('reader', reader), ('cls_head', 'cls_head')):
        start = f'{prefix}{place}.'
        own = {k: v for k, v in state_dict.items() if k.startswith(start)}
        for i in range(len(model.members)):
            for name, value in own.items():
                member = f'{prefix}members.{i}.{part}.{name[len(start) :]}'
                state_dict[member] = value.clone()
    for name in ('kept', 'kept_epoch', 'kept_value'):
        state_dict.setdefault(prefix + name, getattr(model, name).clone())
