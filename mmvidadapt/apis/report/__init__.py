"""Write ``report.html``: how far a recognizer can be trusted, on one page."""

from .contents import Curve, Looked, Report
from .page import write_report

__all__ = ['Curve', 'Looked', 'Report', 'write_report']
