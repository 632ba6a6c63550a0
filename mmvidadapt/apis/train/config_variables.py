"""Keep the variables of a config where it is printed or changed.

mmengine resolves a config's variables when it reads it: ``train_pipeline``
stands at the top and again in the data loader, and a change of the one at the
top changes nothing. Here a value that a variable has is that variable.
"""

import copy
import logging
import re
from typing import Any, Collection, Dict, NamedTuple, Optional, Set, Tuple

from mmengine.config import Config
from mmengine.logging import print_log

# What mmengine's runner reads by itself; the rest are variables.
READ = (
    'auto_scale_lr cfg compile custom_hooks custom_imports data_preprocessor '
    'default_hooks default_scope env_cfg experiment_name launcher load_from '
    'log_level log_processor model optim_wrapper param_scheduler randomness '
    'resume runner_type strategy test_cfg test_dataloader test_evaluator '
    'train_cfg train_dataloader val_cfg val_dataloader val_evaluator '
    'visualizer work_dir'
)
# Variables of our configs that only other entries are made from.
MADE_FROM = (
    'ann_file_train ann_file_val ann_file_test data_root data_root_val '
    'dataset_type held_out image_dataloader image_dataset image_pipeline '
    'image_root keys max_epochs num_classes num_frames pack sizes source '
    'trunk video_pipeline'
)
ENTRIES, SCRATCH = frozenset(READ.split()), frozenset(MADE_FROM.split())
# Numbers are told by the keys that have them.
KEYS = {'num_frames': ('clip_len',), 'max_epochs': ('T_max', 'end')}
SPLITS = {'train': ('train',), 'val': ('val',), 'test': ('test', 'val')}
MARK = '<<{}>>'
NOTE = '# What is below takes these, so a change here is enough.\n'
Parts = Dict[str, Any]


def split_variables(config: Config) -> Tuple[Parts, Parts]:
    """Take the variables out of a config.

    Args:
        config (Config): It stays as it is.

    Returns:
        Tuple[Parts, Parts]: The variables that something else takes its
        value from, each behind those that it uses itself, and the other
        entries. Where a variable is used, its name stands as a mark.
    """
    found = config.to_dict()
    sizes = {name: len(str(value)) for name, value in found.items()}
    names = [n for n in found.keys() - ENTRIES if n.isidentifier()]
    names.sort(key=lambda name: (sizes[name], name))
    marked, used = {}, set()
    for name, value in found.items():
        known = [n for n in names if name in ENTRIES or sizes[n] < sizes[name]]
        values = {n: found[n] for n in known}
        marked[name] = _mark(value, _Use(values, name, used))
    variables = {name: marked[name] for name in names if name in used}
    rest = {n: value for n, value in marked.items() if n not in variables}
    return variables, rest


class _Use(NamedTuple):
    """The variables that a top-level entry may use, and those in use."""

    values: Parts
    entry: str
    used: Set[str]

    def find(self, value: Any, key: str) -> Optional[str]:
        """Find the variable that a value with some key is."""
        same = [
            name
            for name, known in self.values.items()
            if _is(value, known, key, name)
        ]
        split = self.entry.partition('_')[0]
        # That of the split, or else that of no other.
        others = set('_'.join(SPLITS).split('_')) - set(SPLITS.get(split, ()))
        order = [*SPLITS.get(split, ()), None]

        def rank(name: str) -> int:
            words = name.split('_')
            of = [i for i, word in enumerate(order) if word in words]
            return of[0] if of else len(order) + bool(others & set(words))

        best = min(same, key=rank, default=None)
        self.used.update([best] if best else [])
        return best


def _is(value: Any, known: Any, key: str, name: str) -> bool:
    """Check whether a value with a key is that of a variable."""
    if type(value) is not type(known) or value != known or not value:
        return False
    if isinstance(value, (dict, list, str, tuple)):
        return True
    return not isinstance(value, bool) and key in (name, *KEYS.get(name, ()))


def _mark(value: Any, use: _Use, key: str = '') -> Any:
    """Put marks in the place of values that are variables."""
    name = use.find(value, key)
    if name is not None:
        return MARK.format(name)
    if isinstance(value, dict):
        return {k: _mark(v, use, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_mark(v, use) for v in value)
    return value


def _resolve(value: Any, variables: Parts) -> Any:
    """Put the values of variables in the place of their marks."""
    if isinstance(value, dict):
        return {k: _resolve(v, variables) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_resolve(v, variables) for v in value)
    name = str(value)[2:-2]
    if value == MARK.format(name) and name in variables:
        return _resolve(variables[name], variables)
    return value


def print_config(config: Config, without: Collection[str] = ()) -> str:
    """Return the text of a config in which every value stands once.

    Args:
        config (Config): It stays as it is.
        without (Collection[str]): Variables that are left out where nothing
            has its value from them. Defaults to ().

    Returns:
        str: Python source. Variables stand at the top, and where they are
        used, their names.
    """
    if not all(name.isidentifier() for name in config):
        return config.pretty_text  # mmengine writes one dict
    variables, rest = split_variables(config)
    rest = {name: value for name, value in rest.items() if name not in without}
    for name in reversed(list(variables)):  # what they use comes before them
        later = str([*rest.values(), *variables.values()])
        if name in without and MARK.format(name) not in later:
            del variables[name]
    # mmengine sorts by name, but what is used must come first.
    parts = {f'a{i:03}__{n}': v for i, (n, v) in enumerate(variables.items())}
    parts.update({f'b__{name}': value for name, value in rest.items()})
    text = Config(parts).pretty_text
    if variables:
        text = NOTE + re.sub(r'(?m)^(b__)', r'\n\1', text, count=1)
    text = re.sub(r'(?m)^(a\d{3}|b)__', '', text)
    known = '|'.join(map(re.escape, variables))
    return re.sub(f"'{MARK.format(f'({known})')}'", r'\1', text)


def merge_options(config: Config, options: Dict[str, Any]) -> Config:
    """Override entries of a config, and what takes its values from them.

    Args:
        config (Config): It stays as it is.
        options (Dict): Dotted names and values: ``num_frames=16`` changes
            the model and the pipelines where both have it from there.

    Returns:
        Config: The result.
    """
    variables, rest = split_variables(config)
    tops = {name: name.partition('.')[0] for name in options}
    upper = {k: v for k, v in options.items() if tops[k] in variables}
    for name, top in tops.items():
        if top in SCRATCH and top in config and top not in variables:
            print_log(
                f'{name} changes nothing: no entry of this config has its '
                f'value from {top} any more.',
                logger='current',
                level=logging.WARNING,
            )
    if not upper:
        result = copy.deepcopy(config)
        result.merge_from_dict(options)
        return result
    for name in {tops[name] for name in upper if name != tops[name]}:
        variables[name] = _resolve(variables[name], variables)
    changed = Config(variables)
    changed.merge_from_dict(upper)
    variables = changed.to_dict()
    parts = {**config.to_dict(), **variables, **rest}
    result = Config(_resolve(parts, variables), filename=config.filename)
    result.merge_from_dict({k: options[k] for k in options if k not in upper})
    return result
