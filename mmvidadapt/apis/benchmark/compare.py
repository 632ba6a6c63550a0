"""Time, memory and operations of a training step, models side by side."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from statistics import median
from typing import Callable, Dict, List, Optional, Tuple

import torch
from torch import Tensor

from ..inspect.complexity import count_flops, count_params
from ..train.memory import peak_rss, saved_bytes
from .compared_models import Contender, share_weights
from .step import Settings, Step

MIB = 2**20
RUNS_PER_GPU_TIMING = 10  # one would be over too soon
Seconds = Tuple[float, Optional[float]]  # wall clock, CPU per thread


def compare(contenders: List[Contender], settings: Settings) -> List[dict]:
    """Measure contenders in one process, in turns.

    All get the weights of the first that is no plain re-statement, as far as
    names and sizes agree. Where all agree, features and gradients are
    compared with the first row's: a faster wrong model is worth nothing.

    Args:
        contenders (List[Contender]): What is measured; the first is what the
            others are related to.
        settings (Settings): How.

    Returns:
        List[dict]: One for each contender, with ``name, shape, params,
        trained, gmacs, saved_mib, peak_mib, forward, step``, and the
        differences ``features`` and ``gradients``.

    Raises:
        ValueError: If there is no such device.
    """
    if settings.device == 'cuda' and not torch.cuda.is_available():
        raise ValueError(
            "device='cuda': torch sees no GPU; use 'cpu', or "
            'install a torch that was built for yours.'
        )
    if settings.threads:
        torch.set_num_threads(settings.threads)
    on_cpu = settings.device == 'cpu'
    peaks = [_peak_of_child(c, settings) for c in contenders] if on_cpu else []
    steps = [Step(contender, settings) for contender in contenders]
    same = _share_weights(contenders, steps)
    results = []
    for i, step in enumerate(steps):
        results.append(_count(contenders[i], step))
        peak = peaks[i] if on_cpu else _peak_cuda(step)
        results[-1]['peak_mib'] = peak / MIB
    _add_differences(results, steps, same)
    _add_times(results, steps)
    return results


def _share_weights(
    contenders: List[Contender], steps: List[Step]
) -> List[bool]:
    """Share one set of weights; return of each whether it fits the first."""
    source = next(
        s for s, c in zip(steps, contenders, strict=True) if not c.plain
    )
    same = [share_weights(source.model, step.model) for step in steps]
    return [fits and same[0] for fits in same]


def _count(contender: Contender, step: Step) -> dict:
    """Start a row with what can be counted."""
    params = count_params(step.model)
    gmacs = count_flops(step.model, contender.shape) / 1e9
    step.prepare(training=True)
    saved = saved_bytes(step.model, step.loss)
    return dict(
        name=contender.name,
        shape=contender.shape,
        params=params.total,
        trained=params.trained,
        gmacs=gmacs,
        saved_mib=saved / MIB,
    )


def _peak_cuda(step: Step) -> int:
    """Measure the peak of a step, without what other models occupy."""
    model = step.model
    step.prepare(training=True)()
    model.zero_grad()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step.step()
    own = (*model.parameters(), *model.buffers(), step.inputs)
    return (
        torch.cuda.max_memory_allocated()
        - before
        + sum(tensor.nbytes for tensor in own)
    )


def _peak_of_child(contender: Contender, settings: Settings) -> int:
    """Measure the peak of a step in a fresh process."""
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(contender, settings, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise RuntimeError(
            f"The process that measures the peak memory of '{contender.name}' "
            'died, see above; it may have been out of memory.'
        ) from None
    finally:
        child.join()


def _child(
    contender: Contender, settings: Settings, sender: Connection
) -> None:
    """Take two steps and send the peak of this process."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    step = Step(contender, settings)
    for _ in range(2):
        step.prepare(training=True)()
    sender.send(peak_rss())


def _add_differences(
    results: List[dict], steps: List[Step], same: List[bool]
) -> None:
    """Compare features and gradients with the first row's; warms up."""
    first = None
    for result, step, fits in zip(results, steps, same, strict=True):
        features = dict(features=step.prepare(training=False)())
        step.prepare(training=True)()
        found = features, step.gradients()
        first = first or found
        for key, ours, wanted in zip(
            ('features', 'gradients'), found, first, strict=True
        ):
            result[key] = difference(ours, wanted) if fits else None


def difference(found: Dict[str, Tensor], wanted: Dict[str, Tensor]) -> float:
    """Find the largest difference, relative to each tensor's own maximum."""
    if {n: t.shape for n, t in found.items()} != {
        n: t.shape for n, t in wanted.items()
    }:
        return float('inf')
    largest = max(t.abs().max().item() for t in wanted.values())
    return max(
        (found[name] - value).abs().max().item()
        / max(value.abs().max().item(), 1e-3 * largest)  # the rest is rounding
        for name, value in wanted.items()
    )


def _add_times(results: List[dict], steps: List[Step]) -> None:
    """Time all in turns, so that a noisy machine is noisy for all."""
    times = {True: [[] for _ in steps], False: [[] for _ in steps]}
    for _ in range(steps[0].settings.repeats):
        for training, runs in times.items():
            for step, own in zip(steps, runs, strict=True):
                own.append(_time(step.prepare(training), step.settings))
    for key, training in (('forward', False), ('step', True)):
        for result, own in zip(results, times[training], strict=True):
            result[key] = _summary(own, times[training][0])


def _time(run: Callable[[], object], settings: Settings) -> Seconds:
    """Time one run: by events on a GPU, else wall clock and CPU."""
    if settings.device == 'cpu':
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        cpu = (time.process_time() - cpu) / torch.get_num_threads()
        return time.perf_counter() - wall, cpu
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(RUNS_PER_GPU_TIMING):
        run()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3 / RUNS_PER_GPU_TIMING, None


def _summary(runs: List[Seconds], first: List[Seconds]) -> dict:
    """Compute medians and minima in milliseconds, and ratios of medians."""
    wall, cpu = zip(*runs, strict=True)
    first_wall, first_cpu = zip(*first, strict=True)
    summary = dict(
        median_ms=1e3 * median(wall),
        min_ms=1e3 * min(wall),
        ratio=median(wall) / median(first_wall),
        cpu_ms=None,
        cpu_ratio=None,
    )
    if None not in cpu:
        summary['cpu_ms'] = 1e3 * median(cpu)
        summary['cpu_ratio'] = median(cpu) / median(first_cpu)
    return summary
