"""Everything that is done to this project: `python3 noxfile.py SESSION [ARGUMENTS]`.

Needs python3 (3.11 or newer, with venv) and git. The first start makes `.venv`, installs the locked
uv into it, lets uv install the rest from uv.lock, and goes on under nox; later starts compare one
hash. `python3 noxfile.py` lists the sessions; `.venv/bin/nox` works as usual afterwards.

Every session runs in `.venv` itself: there is one environment, and uv.lock describes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".quorate-stamp"  # holds the hash of what the environment was made from
LOCK = ROOT / ".nox" / "bootstrap.lock"
OLDEST_PYTHON = (3, 11)


class Unready(Exception):
    """This host lacks something; the text is the one line that says what to do."""


def say(text: str) -> None:
    print(f"quorate: {text}", file=sys.stderr, flush=True)


def bootstrap(arguments: list[str]) -> int:
    """Make `.venv` match uv.lock, then become nox. Returns an exit code only when it could not."""
    try:
        _require_python()
        LOCK.parent.mkdir(exist_ok=True)
        with LOCK.open("w") as lock:
            _take(lock)
            if not STAMP.is_file() or STAMP.read_text() != _fingerprint():
                _make_environment()
    except Unready as problem:
        say(str(problem))
        return 2
    except subprocess.CalledProcessError as problem:
        say(f"{' '.join(map(str, problem.cmd))}: exit code {problem.returncode} (see above)")
        return 2
    except KeyboardInterrupt:
        say("interrupted; nothing is lost, the same command goes on from here")
        return 130
    return _become_nox(arguments)


def _become_nox(arguments: list[str]) -> NoReturn:
    """Replace this process by nox in `.venv`: one process, so signals and exit code are nox's."""
    python = str(VENV / "bin" / "python")
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV))
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    sys.stdout.flush()
    os.execve(python, [python, "-m", "nox", *_nox_arguments(arguments)], environment)


def _require_python() -> None:
    """Say in one line what is missing, before anything is created."""
    if sys.version_info < OLDEST_PYTHON:
        have, want = (".".join(map(str, v)) for v in (sys.version_info[:2], OLDEST_PYTHON))
        raise Unready(f"python3 is {have}; quorate needs {want} or newer")
    try:
        import ensurepip  # noqa: F401  (Debian leaves it out of python3)
        import venv  # noqa: F401
    except ModuleNotFoundError:
        raise Unready("python3 has no venv; install it: apt-get install python3-venv") from None
    if shutil.which("git") is None:
        raise Unready("git is missing; install it: apt-get install git")


def _take(lock: IO[str]) -> None:
    """One bootstrap at a time; the kernel releases the lock when its holder ends, however."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another start is setting up .venv; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _fingerprint() -> str:
    """Hash of what `.venv` is made from: lock, metadata, and the Python that made it."""
    digest = hashlib.sha256(f"{sys.version}\0{ROOT}\0".encode())
    for name in ("uv.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _make_environment() -> None:
    """Create or update `.venv`. Interrupted at any point, the next call does the rest."""
    started = time.monotonic()
    STAMP.unlink(missing_ok=True)
    python = VENV / "bin" / "python"
    if not _works(python):
        say(f"creating .venv with Python {sys.version.split()[0]}")
        _run([sys.executable, "-m", "venv", "--clear", VENV])
    wanted = _locked_version("uv")
    say(f"installing uv {wanted}")
    _run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={wanted}"]
    )
    say("installing what uv.lock names")
    sync = ["sync", "--locked", "--no-progress", "--quiet", "--python", python]
    _run([VENV / "bin" / "uv", *sync], UV_PYTHON_DOWNLOADS="never", UV_PROJECT_ENVIRONMENT=VENV)
    STAMP.write_text(_fingerprint())
    say(f".venv is ready ({time.monotonic() - started:.0f} s)")


def _works(python: Path) -> bool:
    """True when the environment's interpreter starts, is this Python, and has pip."""
    question = "import sys, pip; print(sys.version)"
    with contextlib.suppress(OSError):
        done = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)
        return done.returncode == 0 and done.stdout.strip() == sys.version.strip()
    return False


def _locked_version(package: str) -> str:
    """Version of a package in uv.lock, so that it stands in one place."""
    import tomllib

    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return next(str(entry["version"]) for entry in packages if entry["name"] == package)


def _run(command: list[Any], **environment: object) -> None:
    ours = {name: str(value) for name, value in environment.items()}
    # UV_PYTHON and VIRTUAL_ENV of the caller would send uv to another environment than ours.
    inherited = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PYTHON")}
    subprocess.run(list(map(str, command)), check=True, env=inherited | ours, cwd=ROOT)


def _nox_arguments(arguments: list[str]) -> list[str]:
    """`SESSION [ARGUMENTS]` in nox's words; what starts with a dash goes to nox as it is."""
    file = ["-f", str(ROOT / "noxfile.py")]
    if not arguments:
        return [*file, "--list"]
    if arguments[0].startswith("-"):
        return [*file, *arguments]
    return [*file, "-s", arguments[0], "--", *arguments[1:]]


if __name__ == "__main__":
    raise SystemExit(bootstrap(sys.argv[1:]))

# ---------------------------------------------------------------------- from here on under nox

import nox  # noqa: E402

sys.path.insert(0, str(ROOT))  # nox may be started anywhere
from tests import host  # noqa: E402

nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False

BIN = Path(sys.executable).parent
PYTHON = sys.executable
QUORATE = str(BIN / "quorate")
CI = os.environ.get("CI") == "true"

# Half of what a test's process costs is compiling what it imports, where nothing may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

QUICK_FOLDERS = ("unit", "contract", "lifecycle", "replay", "observer", "browser")
TYPED_FOLDERS = ("known", "lab", "observer", "browser")
TYPED_TESTS = ("tests/conftest.py", *map("tests/{}".format, TYPED_FOLDERS))
TYPED_TOOLING = ("noxfile.py", "docs/site", *TYPED_TESTS)
TEST_LAB = "ci"  # the tests' own lab; never the name a person uses

_timings: list[tuple[str, float]] = []


def _run_part(
    session: nox.Session,
    what: str,
    *command: str,
    env: dict[str, str] | None = None,
    **options: Any,
) -> None:
    """One command with its time. Ctrl-C reaches it too: it is given all the time that it needs."""
    session.log(f"── {what}")
    started = time.monotonic()
    try:
        # nox's default kills 0.5 s after Ctrl-C: too early for a run that settles its undos.
        session.run(*command, env=env, interrupt_timeout=None, **options)
    finally:
        _timings.append((what, time.monotonic() - started))


def _print_timings(session: nox.Session) -> None:
    for what, elapsed_s in _timings:
        session.log(f"{elapsed_s:8.1f} s  {what}")
    session.log(f"{sum(elapsed_s for _, elapsed_s in _timings):8.1f} s  in all")


def _pytest(*arguments: str) -> tuple[str, ...]:
    return (PYTHON, "-m", "pytest", *arguments)


def _quick_folders() -> list[str]:
    return [f"tests/{name}" for name in QUICK_FOLDERS if (ROOT / "tests" / name).is_dir()]


def _quick(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    """With the second interpreter's environment: whole runs against the fake cluster are played by
    that one too, where it can make a difference (tests/contract/engine/conftest.py)."""
    argv = _pytest(*_quick_folders(), *arguments)
    _run_part(session, "unit, contract, lifecycle, replay", *argv, env=env)


def _quick_elsewhere(session: nox.Session, environment: dict[str, str]) -> None:
    """The other quick tests under the second interpreter, where there is one."""
    if python := environment.get("QUORATE_PARITY_PYTHON"):
        played = ("--ignore=tests/contract/engine",)  # by `_quick`, on either
        # Whole runs have shown on either that processes are killed and the catalogue is read alike.
        alike = ("--ignore=tests/lifecycle", "--ignore=tests/contract/test_catalogue.py")
        apart = ("--ignore=tests/observer", "--ignore=tests/browser")
        less = ("--ignore=tests/unit/project", *apart, *played, *alike)
        again = (python, "-m", "pytest", "-q", *_quick_folders(), *less)
        _run_part(session, "the same, on the newer Python", *again)


def _host_packages(session: nox.Session, *, browser: bool = False) -> None:
    """Install what lab (and browser) want of this host and is not there, where that is ours."""
    missing = host.missing_packages(browser=browser)
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        session.warn(f"this host lacks {', '.join(missing)}; as root: {' '.join(install)}")
        return
    session.log(f"installing {', '.join(missing)}")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=300")
    _run_part(session, "apt-get update", "apt-get", *wait, "--quiet=2", "update", env=environment)
    _run_part(session, "apt-get install", *install, *wait, "--quiet=2", env=environment)


def _second_interpreter(session: nox.Session) -> dict[str, str]:
    """Environment for tests under `QUORATE_PARITY_PYTHON`; empty, and said, where there is none."""
    python = host.newer_python()
    if python is None:
        note = "no Python 3.12 or newer here: parity with a newer Chaos Toolkit is NOT tested"
        banner = "!" * 100
        session.warn(f"\n{banner}\n{note}\n{banner}" if CI else note)
        return {}
    home = ROOT / ".nox" / "parity"
    sync = ("sync", "--locked", "--quiet", "--no-progress", "--python", str(python))
    environment = {"UV_PROJECT_ENVIRONMENT": str(home), "UV_PYTHON_DOWNLOADS": "never"}
    _run_part(session, f"environment of {python}", str(BIN / "uv"), *sync, env=environment)
    return {"QUORATE_PARITY_PYTHON": str(home / "bin" / "python")}


def _lab_pass(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    """tests/lab against a lab of its own, which is gone afterwards whatever happened."""
    _host_packages(session)
    try:
        _run_part(session, "lab", *_pytest("tests/lab", *arguments), env=env)
    finally:
        if os.geteuid() == 0 and not os.environ.get("QUORATE_TEST_LAB"):
            down = (QUORATE, "lab", "down", "--name", TEST_LAB)
            _run_part(session, "lab down", *down, success_codes=range(256), silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff format, ruff check and the project's own limits."""
    _run_part(session, "ruff format", str(BIN / "ruff"), "format", "--check", "--quiet", ".")
    _run_part(session, "ruff check", str(BIN / "ruff"), "check", "--quiet", ".")
    _run_part(session, "limits", *_pytest("-q", "tests/unit/project/test_limits.py"))


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict."""
    _run_part(session, "mypy", str(BIN / "mypy"))
    _run_part(session, "mypy of the tooling", str(BIN / "mypy"), *TYPED_TOOLING)


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom (import-linter)."""
    _run_part(session, "layers", str(BIN / "lint-imports"), "--no-cache", "--no-logo")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, from docs/ and the code, into build/docs; a warning is an error."""
    packages = ("sync", "--locked", "--quiet", "--no-progress", "--group", "docs")
    ours = {"UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    _run_part(session, "its packages", str(BIN / "uv"), *packages, "--python", PYTHON, env=ours)
    site = ROOT / "build" / "docs"
    # -E: what a page takes from the code is no file that Sphinx could see change.
    strictly = ("-W", "--keep-going", "-E", "-q", "-d", str(site.parent / "doctrees"))
    places = ("-c", str(ROOT / "docs" / "site"), str(ROOT / "docs"), str(site))
    _run_part(session, "site", PYTHON, "-m", "sphinx", *strictly, *places)
    session.log(f"read it: {site.relative_to(ROOT)}/index.html")


@nox.session
def unit(session: nox.Session) -> None:
    """unit, contract, lifecycle, replay: what needs no cluster. Arguments go to pytest."""
    _quick(session, *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """Only tests/lab. Arguments go to pytest; QUORATE_TEST_LAB=NAME uses a lab that is up."""
    _lab_pass(session, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything: lint, types, layers, docs, quick tests, known answers, one pass over the lab."""
    try:
        lint(session)
        types(session)
        layers(session)
        docs(session)
        newer = _second_interpreter(session)
        _host_packages(session, browser=True)
        _quick(session, env=newer)
        _quick_elsewhere(session, newer)
        _run_part(session, "known answers", *_pytest("tests/known"))
        _lab_pass(session, env=newer)
    finally:
        _print_timings(session)


@nox.session
def parity312(session: nox.Session) -> None:
    """The quick tests and the Chaos Toolkit parity tests on Python 3.12 or newer."""
    environment = _second_interpreter(session)
    if not environment:
        return
    _run_part(session, "whole runs", *_pytest("tests/contract/engine"), env=environment)
    _quick_elsewhere(session, environment)
    _lab_pass(session, "-m", "parity", *session.posargs, env=environment)


def _lab_up(session: nox.Session) -> None:
    """The lab `quorate`, made, started or found running; it may raise the host's inotify limit."""
    _host_packages(session)
    answer = subprocess.check_output([QUORATE, "lab", "status", "--json"])
    state = json.loads(answer).get("quorate", {}).get("state")
    verb = {"running": (), "partial": ("start",)}.get(state, ("up", "--fix-host"))
    if verb:
        _run_part(session, f"lab {verb[0]}", QUORATE, "lab", *verb)


def _pages() -> set[Path]:
    """The reports of all runs and of all game-days."""
    return {*ROOT.glob("runs/*/report.html"), *ROOT.glob("runs/*/index.html")}


@nox.session
def gameday(session: nox.Session) -> None:
    """Set up, boot the lab, run the core suite, print the reports' places (--keep: lab stays)."""
    keep = "--keep" in session.posargs
    rest = [word for word in session.posargs if word != "--keep"]
    before = _pages()
    try:
        _lab_up(session)
        _run_part(session, "game-day", QUORATE, "gameday", "core", *rest)
    finally:
        for report in sorted(_pages() - before):
            session.log(f"report: {report.relative_to(ROOT)}")
        if keep:
            session.log("the lab stays up; `quorate lab stop` or `lab down` ends it")
        else:
            _run_part(session, "lab stop", QUORATE, "lab", "stop", success_codes=range(256))
        _print_timings(session)


@nox.session
def bench(session: nox.Session) -> None:
    """What things take here (judge, sampler, lab; --record keeps the rows)."""
    _host_packages(session)
    _run_part(session, "bench", PYTHON, "-m", "tests.bench", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Long repetitions; resumable, each finished piece becomes a row in docs/evidence/."""
    if session.posargs[:1] not in (["known-answers"], ["peers"]):  # those need no lab
        _lab_up(session)
    _run_part(session, "soak", PYTHON, "-m", "tests.lab.soak", *session.posargs)
