"""Fill a backbone's arguments in from its trunk, or refuse contradictions."""

from typing import Any, Dict, Mapping

from .table import TRUNKS, Trunk, find_trunk

# A backbone for every family of trunks, to be named where one is wrong.
MADE_FOR = dict(
    vit='AIM',
    vivit='ViViT',
    vivit_fe='ViViTFactorisedEncoder',
    swin='AIMSwin',
    video_swin='BEVTVideoSwin',
    vjepa='VJEPA2',
)


def use_trunk(
    backbone: Any,
    tables: Dict[str, Dict[str, dict]],
    given: Dict[str, Any],
) -> Dict[str, Any]:
    """Fill a backbone's arguments in from the row of its trunk.

    Args:
        backbone (Any): The backbone; its class has the ``trunk_families`` it
            is made for.
        tables (Dict[str, Dict[str, dict]]): ``arch``, and ``dialect`` if the
            class knows any, with what their names mean.
        given (Dict[str, Any]): The arguments, ``trunk`` among them, and
            ``pretrained`` only if the user gave it.

    Returns:
        Dict[str, Any]: ``given``, and what the row says of ``img_size``,
        ``pretrained`` and the keys of ``tables`` where it was left out.

    Raises:
        ValueError: Where trunk or arguments contradict the class or each
            other, and where the trunk has no weights to download.
    """
    if given.get('trunk') is None:
        return given
    row = find_trunk(given['trunk'])
    _check_family(backbone, row)
    if is_replaced(row, given):
        kept = {k: getattr(row, k) for k in tables if given.get(k) is None}
        return {**given, **kept, 'trunk': None}
    _check_weights(row, given)
    filled = dict(given)
    filled.setdefault('pretrained', row.weights)
    for key in (*tables, 'img_size'):
        if filled.get(key) is None:
            filled[key] = getattr(row, key)
    for key, table in tables.items():
        _check_same(row, key, filled[key], table)
    return filled


def _check_family(backbone: Any, row: Trunk) -> None:
    """Refuse a trunk that a backbone is not made for."""
    kind, families = type(backbone).__name__, backbone.trunk_families
    if row.family not in families:
        fit = [n for n, r in TRUNKS.items() if r.family in families]
        raise ValueError(
            f'trunk={row.name!r} is of the family {row.family!r}, and {kind} '
            f'takes {" or ".join(map(repr, families))}: choose from {fit}, '
            f'or a backbone for {row.family!r}, {MADE_FOR[row.family]} say.'
        )


def _check_weights(row: Trunk, given: Mapping[str, Any]) -> None:
    """Ask for ``pretrained`` where a trunk has no download."""
    if row.weights is None and 'pretrained' not in given:
        raise ValueError(
            f'trunk={row.name!r} has no download that can be read '
            f"({row.note}): give pretrained='/path/to/file', or "
            'pretrained=None for random weights.'
        )


def with_row(backbone: Any) -> Dict[str, Any]:
    """Return a backbone's config with what its trunk brings.

    Args:
        backbone (dict, optional): The config, with or without ``trunk``.

    Returns:
        Dict[str, Any]: A copy with ``arch``, ``dialect``, ``img_size`` and
        ``pretrained`` where they were left out.
    """
    backbone = dict(backbone or {})
    if backbone.get('trunk') is None:
        return backbone
    row = find_trunk(backbone['trunk'])
    if is_replaced(row, backbone):
        return backbone
    brought = dict(arch=row.arch, dialect=row.dialect, img_size=row.img_size)
    given = {
        k: v for k, v in backbone.items() if v is not None or k == 'pretrained'
    }
    return {**backbone, **brought, 'pretrained': row.weights, **given}


def is_replaced(row: Trunk, given: Mapping[str, Any]) -> bool:
    """Check whether other sizes and weights stand beside a trunk's name.

    Args:
        row (Trunk): The trunk.
        given (Mapping[str, Any]): Arguments of a backbone.

    Returns:
        bool: Whether they leave nothing of the trunk.
    """
    return 'pretrained' in given and any(
        given.get(key) not in (None, getattr(row, key))
        for key in ('arch', 'dialect')
    )


def dialect_of(given: Dict[str, Any], default: str = 'clip') -> Any:
    """Return the dialect that a backbone's arguments bring.

    Args:
        given (Dict[str, Any]): The arguments.
        default (str): What it is without any. Defaults to ``'clip'``.

    Returns:
        str | dict: The dialect.
    """
    own = given.get('trunk') and find_trunk(given['trunk']).dialect
    return given.get('dialect') or own or default


def _check_same(
    row: Trunk, key: str, value: Any, table: Dict[str, dict]
) -> None:
    """Refuse sizes or a dialect that are not those of a trunk.

    A patch bias more than the trunk has contradicts nothing: it is new.
    """
    given, own = (
        table.get(v, {}) if isinstance(v, str) else v
        for v in (value, getattr(row, key))
    )
    differ = {
        name: (value, own.get(name))
        for name, value in given.items()
        if name != 'img_size'
        and value != own.get(name)
        and not (name == 'patch_bias' and value)
    }
    if differ:
        said = ', '.join(
            f'{name}={value!r} against {wanted!r}'
            for name, (value, wanted) in differ.items()
        )
        raise ValueError(
            f'{key} contradicts trunk={row.name!r}: {said}. Leave {key} out, '
            f'or leave trunk out and give arch, dialect and pretrained.'
        )
