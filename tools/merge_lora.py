"""Run tools/merge.py under its first name."""

import runpy
from pathlib import Path

if __name__ == '__main__':
    tool = Path(__file__).with_name('merge.py')
    runpy.run_path(str(tool), run_name='__main__')
