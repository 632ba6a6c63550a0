"""Break single lines of the package and see that a test fails.

``mutations.txt`` lists what is broken and which tests must notice it; where
no test can, since the broken code does the same, it says why. Everything
happens in a copy of the tree. No test may fail before anything is broken, and
a text that does not stand exactly once in its file ends the run. A mutation
takes about five seconds of an idle core, all of them half an hour.

    python tests/mutate.py                     all of them
    python tests/mutate.py --only 'hooks/'     those whose file matches
    python tests/mutate.py --check             only look for the texts
"""

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Tuple

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_name('mutations.txt')
LIMIT = 300  # seconds of a mutation; a test that hangs has noticed it
OPTIONS = ('-x', '-q', '--tb=line', '-p', 'no:cacheprovider')


@dataclass
class Mutation:
    """One change of one file, and the tests that must notice it."""

    file: str
    tests: List[str]
    line: int  # of the table
    old: List[str] = field(default_factory=list)
    new: List[str] = field(default_factory=list)
    reason: str = ''

    def __str__(self) -> str:
        old, new = (' '.join(map(str.strip, x)) for x in (self.old, self.new))
        return f'{self.file}: {old}  ->  {new}'

    def apply(self, source: str) -> str:
        """Return the source with the change."""
        lines, count = source.splitlines(), len(self.old)
        wanted = [line.strip() for line in self.old]
        places = [
            i
            for i in range(len(lines) - count + 1)
            if [line.strip() for line in lines[i : i + count]] == wanted
        ]
        if len(places) != 1:
            raise LookupError(
                f'{TABLE.name}:{self.line}: {self.file} has these lines '
                f'{len(places)} times, not once: {wanted}'
            )
        (at,) = places
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        new = [indent + line for line in self.new]
        changed = '\n'.join([*lines[:at], *new, *lines[at + count :], ''])
        ast.parse(changed)  # what no one can import is no mutation
        return changed


def read_table(text: str) -> List[Mutation]:
    """Read the mutations of a table, see its first lines."""
    found: List[Mutation] = []
    file, tests = '', []
    for number, line in enumerate(text.splitlines(), 1):
        kind, rest = line[:1], line[2:]
        if kind == '@':
            file, *tests = rest.split()
            file, tests = f'mmvidadapt/{file}', [f'tests/{t}' for t in tests]
        elif kind == '-':
            found.append(Mutation(file, tests, number))
            found[-1].old.append(rest)
        elif kind == ' ':  # goes on
            found[-1].old.append(rest)
        elif kind == '+':
            found[-1].new.append(rest)
        elif kind == '=':
            found[-1].reason = f'{found[-1].reason} {rest}'.strip()
        elif kind not in ('', '#'):
            raise ValueError(f'{TABLE.name}:{number} begins with {kind!r}.')
    return found


def copy_tree(target: Path) -> None:
    """Copy what git knows, or would add, and the links of the package."""
    said = subprocess.check_output(
        ['git', 'ls-files', '-coz', '--exclude-standard'], cwd=ROOT, text=True
    )
    for name in filter(None, said.split('\0')):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    links = 'mmvidadapt/.mim'
    if (ROOT / links).is_dir():
        shutil.copytree(
            ROOT / links, target / links, symlinks=True, dirs_exist_ok=True
        )


def end_group(pid: int) -> None:
    """End what a fork has started and not ended."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def run(tree: Path, tests: List[str], limit: float) -> Tuple[int, str]:
    """Run tests in a fork, which need not import torch.

    Returns:
        Tuple[int, str]: The exit code of pytest, and what it said.
    """
    log = tree / 'mutate.log'
    pid = os.fork()
    if not pid:
        code = 70
        try:
            os.setsid()
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.chdir(tree)
            import pytest

            code = int(pytest.main([*OPTIONS, *tests]))
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            end_group(pid)
            return os.waitstatus_to_exitcode(status), log.read_text()
        time.sleep(0.05)
    end_group(pid)
    os.waitpid(pid, 0)
    return 1, f'FAILED nothing ended within {limit} s\n'


def judge(tree: Path, mutation: Mutation) -> str:
    """Break the copy, run the tests, mend it.

    Returns:
        str: The first test that fails; empty if all pass.
    """
    path = tree / mutation.file
    whole = path.read_text()
    path.write_text(mutation.apply(whole))
    try:
        code, said = run(tree, mutation.tests, LIMIT)
    finally:
        path.write_text(whole)
    if code == 0:
        return ''
    failed = re.findall(r'^(?:FAILED|ERROR) (.*)', said, re.MULTILINE)
    if code not in (1, 2) and code >= 0:
        raise RuntimeError(f'{mutation}\npytest ended with {code}:\n{said}')
    return failed[0].split(' - ')[0] if failed else f'its end with {code}'


def judge_all(tree: Path, todo: List[Mutation]) -> List[str]:
    """Judge mutations; return by what each is noticed."""
    tests = sorted({test for mutation in todo for test in mutation.tests})
    code, said = run(tree, tests, float('inf'))
    if code:
        raise RuntimeError(f'{said}\nTests fail though nothing is broken.')
    noticed = []
    for number, mutation in enumerate(todo, 1):
        start = time.monotonic()
        by = judge(tree, mutation)
        noticed.append(by)
        result = f'killed by {by}' if by else 'SURVIVED'
        took = time.monotonic() - start
        print(
            f'{number}/{len(todo)} {took:.0f} s {mutation}: {result}',
            flush=True,
        )
    return noticed


def report(todo: List[Mutation], noticed: List[str]) -> int:
    """Print what came of all; return 1 if it is not as it is told."""
    survived = [m for n, m in enumerate(todo) if not noticed[n]]
    wrong = [
        m for n, m in enumerate(todo) if bool(noticed[n]) == bool(m.reason)
    ]
    print(f'\n{len(todo) - len(survived)} killed, {len(survived)} survived')
    for mutation in survived:
        print(f'  {mutation}\n    {mutation.reason or "NOT EXPLAINED"}')
    for mutation in (m for m in wrong if m.reason):
        print(f'Killed, though it is explained away: {mutation}')
    return bool(wrong)


def main() -> int:
    """Break what is asked for; return 1 if anything is not as it is told."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', default='', help='expression for files')
    parser.add_argument('--check', action='store_true', help='run no test')
    args = parser.parse_args()
    table = read_table(TABLE.read_text())
    todo = [m for m in table if re.search(args.only, m.file)]
    for mutation in todo:
        mutation.apply((ROOT / mutation.file).read_text())
    if args.check:
        print(f'{len(todo)} mutations can be made.')
        return 0
    os.environ.update(OMP_NUM_THREADS='1', PYTHONDONTWRITEBYTECODE='1')
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory(prefix='mutate') as folder:
        tree = Path(folder).resolve()
        copy_tree(tree)
        os.environ['PYTHONPATH'] = str(tree)
        here = {ROOT, Path(__file__).parent}
        kept = [p for p in sys.path if Path(p).resolve() not in here]
        sys.path[:] = [str(tree), *kept]
        for name in ('torch', 'numpy', 'einops', 'cv2', 'pytest', 'mmengine'):
            __import__(name)  # once for all that is imported anew
        return report(todo, judge_all(tree, todo))


if __name__ == '__main__':
    sys.exit(main())
