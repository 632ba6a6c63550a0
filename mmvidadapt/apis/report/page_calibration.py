"""Show whether scores say how often a recognizer is right."""

from typing import Sequence, Tuple

from .calibration import (
    cross_tempered,
    fit_temperature,
    reliability,
    tempered,
)
from .charts import reliability_chart
from .contents import Report
from .elements import Html, element, percent, plural, points

SMALL = 0.02  # of a mean score


def calibration(report: Report) -> Html:
    """Show whether scores say how often the model is right."""
    before = reliability(report.scores, report.labels)
    if report.calibration is None:
        t = fit_temperature(report.scores, report.labels)
        scores = cross_tempered(report.scores, report.labels, report.groups)
        source = (
            'The temperature is fitted on the tested clips; the error with '
            'it is measured on folds that it was not fitted on.'
        )
    else:
        labels, others = report.calibration
        t = fit_temperature(others, labels)
        scores = tempered(report.scores, t)
        number = plural(len(labels), 'clip')
        source = f'The temperature is fitted on {number} of validation.'
    after = reliability(scores, report.labels)
    if after.ece >= before.ece:
        source += ' Here it makes nothing better: leave scores as they are.'
    mean = report.scores.max(1).mean() - report.right.mean()
    said = 'too sure' if mean > 0 else 'not sure enough'
    said = said if abs(mean) >= SMALL else 'as sure as it should be'
    figures = [
        (percent(before.ece), 'expected calibration error (ECE)'),
        (f'{t:.2f}', 'temperature: scores divided by it, before the softmax'),
        (percent(after.ece), 'calibration error with it'),
        (f'{points(mean)} points', f'mean score minus accuracy: {said}'),
    ]
    keys = dict(before='as it is', after='with the temperature', ideal='ideal')
    legend = [element('span', v, class_=f'key {k}') for k, v in keys.items()]
    legend = element('p', legend, class_='legend')
    return element(
        'div',
        element('figure', reliability_chart(before, after), legend),
        element('div', figure_list(figures), element('p', source)),
        class_='beside',
    )


def figure_list(figures: Sequence[Tuple[str, str]]) -> Html:
    """Write figures with what they are."""
    return element(
        'dl',
        [
            element('div', element('dd', value), element('dt', name))
            for value, name in figures
        ],
        class_='figures',
    )
