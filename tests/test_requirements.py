"""What setup.py asks for installs, and holds what commits are tested with."""

import ast
from typing import Any, Dict

import pytest
from packaging.requirements import Requirement

from mmvidadapt.apis.train.doctor import PACKAGES
from mmvidadapt.utils import check_installed
from tests.golden import ROOT

PLATFORMS = {
    'x86-64 Linux': dict(sys_platform='linux', platform_machine='x86_64'),
    'ARM Linux': dict(sys_platform='linux', platform_machine='aarch64'),
    'macOS': dict(sys_platform='darwin', platform_machine='arm64'),
    'old macOS': dict(sys_platform='darwin', platform_machine='x86_64'),
    'Windows': dict(sys_platform='win32', platform_machine='AMD64'),
}
WITH_DECORD = {'x86-64 Linux', 'Windows'}  # it has wheels for


def of_setup(keyword: str) -> Any:
    """Read an argument of ``setup`` without running setup.py."""
    tree = ast.parse((ROOT / 'setup.py').read_text())
    words = {k.arg: k.value for n in ast.walk(tree) for k in keywords(n)}
    return ast.literal_eval(words[keyword])


def asked() -> Dict[str, Requirement]:
    return {r.name: r for r in map(Requirement, of_setup('install_requires'))}


def keywords(node: ast.AST) -> list:
    return node.keywords if isinstance(node, ast.Call) else []


def pins(file: str = 'tested') -> list:
    lines = (ROOT / 'requirements' / f'{file}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith('#')]


def wanted(requirement: Requirement, **environment: str) -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate(environment)


def test_both_packages_of_opencv_become_one_version():
    plain, contrib = (
        asked()[f'opencv-{name}'].specifier
        for name in ('python', 'contrib-python')
    )
    # A bound that is a release; below another, one may come before the other.
    assert plain == contrib and '<=' in {s.operator for s in plain}


@pytest.mark.parametrize('platform', PLATFORMS)
def test_decord_is_asked_for_where_it_has_wheels(platform):
    for requirement in [asked()['decord'], *pins()]:
        if requirement.name == 'decord':
            found = wanted(requirement, **PLATFORMS[platform])
            assert found == (platform in WITH_DECORD)


def test_what_is_tested_lies_within_the_bounds():
    bounds = asked()
    for pin in pins():
        if pin.name in bounds:
            (version,) = (
                s.version for s in pin.specifier if '=' in s.operator
            )
            assert bounds[pin.name].specifier.contains(version), str(pin)


def test_the_oracles_are_an_extra_that_the_tests_install():
    extra = list(map(Requirement, of_setup('extras_require')['oracles']))
    assert pins('oracles') == extra
    assert not {pin.name for pin in extra} & set(asked())
    script = (ROOT / 'tools' / 'run_tests.sh').read_text()
    assert 'requirements/oracles.txt' in script


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12'])
def test_every_python_has_one_tested_version(python):
    here = dict(PLATFORMS['x86-64 Linux'], python_version=python)
    names = [pin.name for pin in pins() if wanted(pin, **here)]
    assert len(names) == len(set(names)) and {'av', 'decord'} < set(names)


def test_what_is_needed_on_import_is_asked_for():
    names = set(asked())
    assert set(check_installed.NEEDED.values()) <= names
    assert 'decord' not in check_installed.NEEDED
    assert {name for group in PACKAGES.values() for name in group[:1]} <= names
