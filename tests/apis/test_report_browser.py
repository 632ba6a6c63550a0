"""The page in a real browser: no errors, nothing overflows, both schemes."""

import html
import json
import re
import shutil
import subprocess

import cv2
import pytest

from mmvidadapt.apis.report.page import render
from tests.apis.report_samples import read, report

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
WIDTHS = (360, 1400)
SCHEMES = dict(dark=0, light=1)
# Pages side by side in frames of their own, which the script looks into.
OUTER = """<!DOCTYPE html><meta charset="utf-8"><body>
{frames}<script>
addEventListener('load', () => {{
  const found = [...document.querySelectorAll('iframe')].map(frame => {{
    const page = frame.contentDocument, root = page.documentElement;
    const right = e => e.getBoundingClientRect().right;
    const colour = (e, key) =>
      page.defaultView.getComputedStyle(e)[key].match(/\\d+/g).map(Number);
    return {{
      width: root.scrollWidth,
      out: [...page.querySelectorAll('body *')].filter(e =>
        right(e) > root.clientWidth + 1 && !e.closest('.scroll, nav, .skip')
      ).map(e => e.outerHTML.slice(0, 80)),
      broken: [...page.images].filter(i => !i.naturalWidth).length,
      images: page.images.length,
      back: colour(page.body, 'backgroundColor'),
      ink: colour(page.body, 'color'),
      card: colour(page.querySelector('section'), 'backgroundColor'),
      small: [...page.querySelectorAll('main p, main td, main text')].filter(
        e => parseFloat(page.defaultView.getComputedStyle(e).fontSize) < 10
      ).length,
    }};
  }});
  document.title = 'measured';
  document.body.textContent = JSON.stringify(found);
}});
</script>"""

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f'none of {NAMES} is installed'
)


def run(folder, page, *options):
    """Open a page headless; give what was printed."""
    done = subprocess.run(
        [
            *(BROWSER, '--headless', '--no-sandbox', '--disable-gpu'),
            *('--disable-dev-shm-usage', f'--user-data-dir={folder}/profile'),
            *('--enable-logging=stderr', '--hide-scrollbars'),
            *(*options, page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = re.findall(r'CONSOLE[^"]*"(.*)', done.stderr)
    assert done.returncode == 0 and not said, done.stderr[-2000:]
    return done.stdout


def measure(folder, scheme, page):
    """Lay the page out in both widths; give what was measured."""
    frames = ''.join(
        f'<iframe style="width:{width}px;height:900px;border:0" '
        f'srcdoc="{html.escape(page, quote=True)}"></iframe>'
        for width in WIDTHS
    )
    outer = folder / 'outer.html'
    outer.write_text(OUTER.format(frames=frames), encoding='utf-8')
    option = f'--blink-settings=preferredColorScheme={SCHEMES[scheme]}'
    dom = run(folder, outer, option, '--window-size=1900,2000', '--dump-dom')
    return json.loads(html.unescape(re.search(r'\[\{.*\}\]', dom).group()))


def brightness(colour):
    """Return 0 for black to 255 for white."""
    return sum(w * c for w, c in zip((0.299, 0.587, 0.114), colour))


@pytest.mark.parametrize('scheme', SCHEMES)
def test_the_page_fits_in_narrow_and_wide_windows(scheme, tmp_path):
    found = measure(tmp_path, scheme, render(report(), read))
    for width, one in zip(WIDTHS, found, strict=True):
        assert one['width'] == width, one['out'][:5]
        assert not one['out'], one['out'][:5]
        assert one['images'] > 30 and not one['broken']
        assert not one['small']
        back, ink, card = map(
            brightness, (one['back'], one['ink'], one['card'])
        )
        assert (back < 60) == (card < 60) == (scheme == 'dark')
        assert (ink > 200) == (scheme == 'dark')
        assert abs(ink - card) > 150


def test_what_overflows_is_found(tmp_path):
    page = render(report(), read).replace(
        '</main>', '<p style="width:500px">wide</p></main>'
    )
    narrow, wide = measure(tmp_path, 'light', page)
    assert narrow['width'] > 360 and any('500px' in e for e in narrow['out'])
    assert wide['width'] == 1400 and not wide['out']


def test_the_page_is_painted(tmp_path):
    page, picture = tmp_path / 'report.html', tmp_path / 'page.png'
    page.write_text(render(report(), read), encoding='utf-8')
    run(tmp_path, page, f'--screenshot={picture}', '--window-size=1400,1600')
    seen = cv2.imread(str(picture))
    assert seen.shape[:2] == (1600, 1400) and seen.std() > 10
