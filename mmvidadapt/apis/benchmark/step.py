"""One contender of a benchmark, ready to run."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, Optional

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmvidadapt.trunks.parts.segments import segments_of
from mmvidadapt.utils.cpu_products import (
    BLAS,
    cpu_products,
    using_cpu_products,
)

from .compared_models import Contender

AMP_DTYPES = {'bf16': torch.bfloat16, 'fp16': torch.float16}


@dataclass(frozen=True)
class Settings:
    """Settings of a measurement.

    Args:
        device (str): ``'cpu'`` or ``'cuda'``. Defaults to 'cpu'.
        amp (str, optional): ``'bf16'`` or ``'fp16'`` autocast.
            Defaults to None.
        threads (int, optional): Threads of torch on the CPU; None leaves the
            choice to torch. Defaults to None.
        repeats (int): Timings of every contender. Defaults to 5.
        seed (int): Of weights and clips. Defaults to 0.
    """

    device: str = 'cpu'
    amp: Optional[str] = None
    threads: Optional[int] = None
    repeats: int = 5
    seed: int = 0


class Step:
    """Time the features and a training step of one contender.

    Args:
        contender (Contender): What is measured.
        settings (Settings): How.
    """

    def __init__(self, contender: Contender, settings: Settings) -> None:
        self.model = contender.build(settings.seed).to(settings.device)
        self.settings, self.onednn = settings, contender.onednn
        generator = torch.Generator().manual_seed(settings.seed)
        video = torch.randn(contender.shape, generator=generator)
        views = segments_of(self.model)  # of one crop
        self.inputs = video.unflatten(0, (-1, views)).to(settings.device)
        self.samples = [
            ActionDataSample().set_gt_label(0) for _ in self.inputs
        ]

    def prepare(self, training: bool) -> Callable[[], object]:
        """Prepare what is timed, without dropout: all do the same work."""
        self.model.train(training)
        for module in self.model.modules():
            if 'Drop' in type(module).__name__:
                module.eval()
        return self.step if training else self.forward

    def autocast(self) -> torch.autocast:
        """Choose the precision."""
        amp = self.settings.amp
        return torch.autocast(
            self.settings.device, AMP_DTYPES.get(amp), enabled=amp is not None
        )

    @torch.no_grad()
    def forward(self) -> Tensor:
        """Compute the features of the backbone."""
        with _library(self.onednn), self.autocast():
            return self.model(self.inputs, stage='backbone')

    def loss(self) -> Tensor:
        """Compute the recognizer's loss."""
        with _library(self.onednn), self.autocast():
            losses = self.model(self.inputs, self.samples, mode='loss')
        return self.model.parse_losses(losses)[0]

    def step(self) -> None:
        """Compute the loss and all gradients."""
        self.model.zero_grad()
        loss = self.loss()
        with _library(self.onednn):
            loss.backward()

    def gradients(self) -> Dict[str, Tensor]:
        """Return the gradients of what is trained, zero where absent."""
        return {
            name: torch.zeros_like(param) if param.grad is None else param.grad
            for name, param in self.model.named_parameters()
            if param.requires_grad
        }


@contextmanager
def _library(onednn: bool) -> Iterator[None]:
    """Choose the library of the linear layers: oneDNN, or the BLAS."""
    with using_cpu_products(cpu_products() if onednn else BLAS):
        yield
