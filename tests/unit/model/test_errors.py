from __future__ import annotations

import pytest

from quorate.harness import errors


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("a.yaml", 4, "a.yaml:4: of: found 'x', allowed: y, z"),
        ("a.yaml", None, "a.yaml: of: found 'x', allowed: y, z"),
        (None, None, "of: found 'x', allowed: y, z"),
    ],
)
def test_a_spec_error_says_where_what_and_what_instead(
    file: str | None, line: int | None, said: str
) -> None:
    error = errors.SpecError(file, line=line, field="of", found="'x'", allowed=["y", "z"])
    assert str(error) == said


def test_the_exit_codes_are_those_of_the_design() -> None:
    codes = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.QuorateError)
    }
    assert {name for name, code in codes.items() if code == 2} == {"SpecError", "UsageError"}
    assert {name for name, code in codes.items() if code == 4} == {"UndoFailed", "UndoUnconfirmed"}
    assert set(codes.values()) == {2, 3, 4}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    tree = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.QuorateError):
            assert f"{name} " in tree, f"{name} is not drawn"


def test_a_failed_command_can_be_pasted() -> None:
    error = errors.CommandFailed(
        "cp1", argv=["cat", "a b"], returncode=1, stderr="x" * 5000 + "the end\n"
    )
    assert str(error).endswith("try: cat 'a b'")
    assert error.stderr.endswith("the end")
    assert len(error.stderr) <= errors.STDERR_TAIL_CHARS


def test_everything_that_is_missing_is_in_one_message() -> None:
    missing = [errors.Missing("runc", "apt-get install runc"), errors.Missing("root", "sudo -i")]
    message = str(errors.PreflightError(missing))
    for item in missing:
        assert item.what in message
        assert item.command in message
