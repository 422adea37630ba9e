import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
LONGEST = 300  # lines

# A longer module is listed here with the reason why it is not split.
LONGER: dict[str, str] = {}

MODULES = sorted(
    path.relative_to(PROJECT).as_posix()
    for folder in ("src", "flows")
    for path in (PROJECT / folder).rglob("*.py")
)


def committed_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout, so what is committed is not known")
    return [path for name in listed.stdout.split("\0")[:-1] if (path := PROJECT / name).is_file()]


def required(text: str) -> str:
    """Return a requirement's name, as indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>~!\[; ]", text, maxsplit=1)[0]).lower()


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short(module: str) -> None:
    length = len((PROJECT / module).read_text(encoding="utf-8").splitlines())
    assert (length > LONGEST) == (module in LONGER), f"{length} lines"


def test_the_lock_holds_every_requirement_with_its_pin() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (PROJECT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9][\w.-]*)==([^ ]+) \\$", lock, re.MULTILINE))
    assert {required(text) for text in wanted} <= set(locked)
    for text in wanted:
        if "==" in text:
            assert locked[required(text)] == text.split("==")[1]


def test_the_lock_is_hashed_and_names_no_index() -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|index-url|find-links", lock)


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    private = re.compile(rb"(?<![\w.])/(?:work|root|home|Users)/")
    found = [
        f"{path.relative_to(PROJECT)}: {match.group().decode()}"
        for path in committed_files()
        for match in private.finditer(path.read_bytes())
        if path != Path(__file__)
    ]
    assert found == []
