"""Refuse what a config out of a file names beside registered classes."""

import importlib.util
import inspect
import sys
from typing import Any, Dict

from mmengine.registry import Registry

# Entries that let a class fetch code or look for it elsewhere.
FORBIDDEN = ('sys_path', 'trust_remote_code')
# What mmengine reads from files with these names, it may run.
PROGRAMS = ('.pkl', '.pickle', '.yaml', '.yml')


def known_types() -> Dict[str, Any]:
    """List the classes that mmaction2, mmengine and this package register.

    Returns:
        Dict[str, Any]: Name to class or function.
    """
    import mmaction.registry
    import mmengine.registry

    from mmvidadapt.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    return {
        name: kind
        for module in (mmaction.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name, kind in registry.module_dict.items()
    }


def check_running(config: Dict[str, Any], source: str) -> Dict[str, Any]:
    """Refuse what a config would run beside registered classes.

    Looked at is what builds a model and reads a video, for a file trained
    elsewhere may name data sets and hooks that only exist there.

    Args:
        config (Dict[str, Any]): Plain values. It stays as it is.
        source (str): The file, for errors.

    Returns:
        Dict[str, Any]: The same; classes that were named by where they are
        defined have their registered names.

    Raises:
        ValueError: If it names anything that is not registered, a scope that
            would be imported, a pickle, or places to look for code.
    """
    check, checked = _Check(source), dict(config)
    check.scope(config.get('default_scope', 'mmaction'))
    for part in ('model', 'test_pipeline'):
        if part in config:
            checked[part] = check(config[part])
    loader, visualizer = (
        config.get(part) for part in ('test_dataloader', 'visualizer')
    )
    if isinstance(loader, dict):
        checked['test_dataloader'] = check.loader(loader)
    if isinstance(visualizer, dict):
        checked['visualizer'] = check.visualizer(visualizer)
    return checked


class _Check:
    """Look at the parts of one config."""

    def __init__(self, source: str) -> None:
        self.source, self.known = source, known_types()

    def __call__(self, value: Any) -> Any:
        """Return a part with registered names in the place of classes."""
        if isinstance(value, (list, tuple)):
            return type(value)(map(self, value))
        if not isinstance(value, dict):
            return value
        result = {}
        for key, item in value.items():
            if key in FORBIDDEN:
                self.refuse(f'has {key}={item!r}, which finds code elsewhere')
            if key == '_scope_':
                self.scope(item)
            result[key] = self.kind(item) if key == 'type' else self(item)
        self.no_programs(result)
        return result

    def kind(self, name: Any) -> str:
        """Find the registered name of a class; mmengine imports others."""
        text = str(name)
        module, _, last = text.rpartition('.')
        found = vars(sys.modules.get(module, object)).get(last)
        if module and inspect.isclass(found):
            names = (n for n, kind in self.known.items() if kind is found)
            text = next(names, text)
        if text not in self.known or importlib.util.find_spec(text):
            self.refuse(
                f'asks for {text!r}, which mmaction2 and mmvidadapt have not '
                'registered. Import the package that registers it first, if '
                'you trust it'
            )
        return text

    def scope(self, name: Any) -> None:
        """Refuse a scope whose registry would have to be imported."""
        if f'{name}.registry' not in sys.modules:
            self.refuse(
                f'has the scope {name!r}, whose package is not imported'
            )

    def no_programs(self, config: Dict[str, Any]) -> None:
        """Refuse a pickle or the like for a class that may run it."""
        kind = self.known.get(config.get('type'))
        ours = getattr(kind, '__module__', '').startswith('mmvidadapt.')
        for key, item in config.items():
            texts = item if isinstance(item, (list, tuple)) else [item]
            if not ours and any(str(t).endswith(PROGRAMS) for t in texts):
                self.refuse(f'has {key}={item!r}, a file that may be run')

    def loader(self, config: Dict[str, Any]) -> Dict[str, Any]:
        """Look at what an inferencer uses of a data loader."""
        config, dataset = dict(config), config.get('dataset')
        if isinstance(dataset, dict) and 'pipeline' in dataset:
            pipeline = self(dataset['pipeline'])
            config['dataset'] = dict(dataset, pipeline=pipeline)
        collate = config.get('collate_fn')
        if isinstance(collate, str):
            config['collate_fn'] = self.kind(collate)
        elif collate is not None:
            config['collate_fn'] = self(collate)
        return config

    def visualizer(self, config: Dict[str, Any]) -> Dict[str, Any]:
        """Leave out where to write or send to: it starts no backend then."""
        kept = {k: v for k, v in config.items() if k != 'save_dir'}
        return self({**kept, 'vis_backends': None})

    def refuse(self, reason: str) -> None:
        """Raise with the reason."""
        raise ValueError(f'{self.source} is refused: its config {reason}.')
