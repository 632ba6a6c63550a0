"""Register where the trunks of the table lie, so that their names resolve."""

from typing import Iterator, Tuple

from mmvidadapt.weights.fetch.download import Source
from mmvidadapt.weights.fetch.released import SOURCES

from .row import Trunk
from .table import TRUNKS


def _sources(row: Trunk) -> Iterator[Tuple[str, Source]]:
    """List the names of a trunk and where each lies."""
    told = dict(licence=row.licence, note=row.note)
    if row.url is not None:
        yield row.name, Source(row.url, **told)
    places = {row.name: row.hub} if row.hub else {}
    if row.mirror:
        places[row.mirror.repo] = row.mirror
        if row.hub and row.hub.gated:
            places[row.name] = row.hub._replace(instead=row.mirror.repo)
    for name, hub in places.items():
        yield name, Source(hub.urls[0], hub.sha256, hub.size, hub=hub, **told)


SOURCES.update(pair for row in TRUNKS.values() for pair in _sources(row))
