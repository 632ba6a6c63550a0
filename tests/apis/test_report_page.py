"""The page: complete, escaped, self-contained, and as its content is."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mmvidadapt.apis.report import Report, write_report
from mmvidadapt.apis.report.elements import element, escape, percent, plural
from mmvidadapt.apis.report.page import render, sections
from mmvidadapt.datasets.prepare.video_folders import Clip
from mmvidadapt.utils.video import VideoError, write_video
from tests.apis.report_samples import (
    CLASSES,
    EVIL,
    FRAMES,
    clips,
    read,
    report,
    scores,
)

VOID = {'meta', 'img', 'br'}


class Page(HTMLParser):
    """Tags, attributes and texts of a page; every tag must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.open = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ['style']:
            self.text.append(data)


@pytest.fixture(scope='module')
def page():
    return Page(render(report(), read))


def section(one: Report, key: str, **options) -> str:
    found = {s.key: s.body for s in sections(one, read, **options)}
    return found[key]


def test_names_of_others_are_only_shown(page):
    assert 'script' not in page.tags
    assert not [a for a in page.attributes if a[1].startswith('on')]
    pictures = [
        a[2] for a in page.attributes if a[0] == 'img' and a[1] == 'src'
    ]
    assert all(p.startswith('data:image/jpeg;base64,') for p in pictures)
    text = ''.join(page.text)
    shown = EVIL.replace('\u202e', '\\u202e')
    assert '\u202e' not in text
    for place in (f'Report of {shown}', 'held out', f'{shown}/clip 1.mp4'):
        assert place in text
    for place in ('moov atom', 'More clips of', 'tools/report.py'):
        assert re.search(place + '.*' + re.escape(shown), text)


def test_nothing_is_fetched(page):
    policy = [v for _, k, v in page.attributes if k == 'content']
    assert any("default-src 'none'" in value for value in policy)
    for tag, key, value in page.attributes:
        if key in ('href', 'src'):
            assert value.startswith(('#', 'data:')), (tag, value)
    text = render(report(), read)
    assert '@import' not in text and 'url(' not in text
    linked = {v[1:] for _, k, v in page.attributes if k == 'href'}
    assert linked <= {v for _, k, v in page.attributes if k == 'id'}


def test_every_section_is_there_and_empty_ones_are_not():
    every = [s.key for s in sections(report(), read)]
    assert every == [
        *('advice', 'mistakes', 'confusion', 'classes', 'order'),
        *('looked', 'calibration', 'curves', 'data', 'repeat'),
    ]
    bare = Report(clips(), CLASSES, scores(np.arange(12) % 3))
    assert [s.key for s in sections(bare, read)] == [
        *('mistakes', 'confusion', 'classes', 'calibration', 'data')
    ]
    assert 'No clip is wrong.' in section(bare, 'mistakes')
    assert '100.0 %' in render(bare, read)


def test_the_surest_mistake_comes_first():
    text = section(report(), 'mistakes')
    assert text.count('<article') == 2
    first, second = text.split('<article')[1:]
    assert 'clip 1.mp4' in first and 'clip 3.mp4' in second
    assert '98.0 %' in first and 'group person 1' in first
    assert first.count('<img') == 16  # frames, and where the model looked
    assert second.count('<img') == 8
    few = section(report(), 'mistakes', most_mistakes=1)
    assert few.count('<article') == 1 and '1 more' in few
    assert 'clip 3.mp4' in few


def test_a_mistake_that_cannot_be_read_says_why():
    def fails(clip):
        raise VideoError(f'{EVIL} cannot be read as a video: moov')

    text = render(report(), fails)
    assert escape(EVIL) + ' cannot be read as a video: moov' in text
    assert text.count('<article') == 3  # and one that was right
    missing = section_of_missing()
    assert 'No such file' in missing or 'cannot' in missing


def section_of_missing() -> str:
    return {s.key: s.body for s in sections(report(root='/none'))}['mistakes']


def test_frames_are_read_from_the_files(tmp_path):
    write_video(tmp_path / 'a.mp4', [FRAMES[0]] * 20, 10)
    one = Report([Clip('a.mp4', 'left')], CLASSES, scores([1]), root=tmp_path)
    path = write_report(one, tmp_path / 'new' / 'report.html', date='today')
    text = path.read_text()
    assert text.count('<img') == 8 and 'today' in text
    assert text == render(one, date='today')
    assert [p.name for p in path.parent.iterdir()] == ['report.html']


def test_large_tables_are_cut():
    names = [f'class {i}' for i in range(90)]
    labels = np.arange(900) % 90
    wrong = (labels + 1) % 90
    found = np.full((900, 90), 0.5 / 89)
    found[np.arange(900), np.where(labels < 45, labels, wrong)] = 0.5
    found /= found.sum(1, keepdims=True)
    many = Report(
        [Clip(str(i), names[n]) for i, n in enumerate(labels)], names, found
    )
    text = section(many, 'confusion')
    assert text.count('<tr') == 41 and 'Of 90 classes' in text
    assert section(many, 'classes').count('<tr') == 91
    listed = {s.key: s.body for s in sections(many, lambda i: FRAMES[:1])}
    assert listed['mistakes'].count('<article') == 48
    assert '402 more' in listed['mistakes']


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        (dict(clips=[]), 'report of 0 clips'),
        (dict(scores=np.ones((2, 3)) / 3), r'\(2, 3\); 12 clips and 3'),
        (dict(scores=np.ones((12, 3))), 'rows add up to 3 to 3'),
        (dict(scores=np.full((12, 3), np.nan)), 'no probabilities'),
        (dict(orders=dict(shuffled=np.ones((1, 3)))), "orders.'shuffled'."),
        (dict(clips=[Clip('a', 'up')] * 12), "No class is called 'up'"),
        (dict(calibration=(['left'], np.ones((2, 3)))), 'calibration has'),
    ],
)
def test_parts_that_do_not_fit_are_named(changes, error):
    given = dict(clips=clips(), classes=CLASSES)
    given['scores'] = scores(np.zeros(12, int))
    with pytest.raises(ValueError, match=error):
        Report(**{**given, **changes})


def test_elements():
    bold = element('b', '<', class_='x', data_a=None, data_b='"')
    assert bold == '<b class="x" data-b="&quot;">&lt;</b>'
    assert element('p', bold, None, [1, '&']) == f'<p>{bold}1&amp;</p>'
    assert element('img', alt='') == '<img alt=""/>'
    assert percent(float('nan')) == '–' and percent(0.125) == '12.5 %'
    assert (
        plural(1, 'class') == '1 class' and plural(2, 'class') == '2 classes'
    )
