"""The command line: demo, check, report; clear words and exit codes, never a traceback."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import reported

import sotongindex
from sotongindex.__main__ import main
from sotongindex._terminal import text_width
from sotongindex.recipe import save_recipe


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study.json"
    save_recipe(reported.recipe(), path)
    return path


def write(path: Path, columns: dict[str, list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "answers.csv", reported.columns())


# -- demo ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["INVENTED", "Means over organizations", "Blog", "Rank", "One organization",
                "Respondents", "percentile", "chance that the true score meets it",
                "Improve first", "check STUDY DATA", "report STUDY DATA"]),
        ("ko", ["가상", "기관 평균", "블로그", "순위", "기관 하나", "응답자", "백분위", "확률",
                "가장 먼저 개선할", "check STUDY DATA", "report STUDY DATA"]),
    ],
)  # fmt: skip
def test_the_demo_tells_everything_within_a_hundred_columns(
    language: str, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--language", language]) == 0
    printed = capsys.readouterr()
    assert [words for words in told if words not in printed.out] == []
    assert max(map(text_width, printed.out.splitlines())) <= 100
    assert printed.err == ""


# -- check ---------------------------------------------------------------------------------------


def test_check_prints_the_report(
    study: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(study), str(data)]) == 0
    assert capsys.readouterr().out == f"{reported.responses().report}\n"


def test_check_of_faulty_answers_ends_with_1(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = reported.columns()
    columns["q1"][0] = 9
    columns["organization"][2] = "org-1x"
    faulty = write(tmp_path / "faulty.csv", columns)
    assert main(["check", str(study), str(faulty)]) == 1
    printed = capsys.readouterr().out
    assert "error: q1" in printed
    assert "org-1x" in printed


# -- report --------------------------------------------------------------------------------------


def test_report_prints_tables_and_writes_files(
    study: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "out"
    words = ["report", str(study), str(data), "--language", "ko", "--output", str(folder)]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert "기관 순위" in printed.out
    assert f"보고서: {folder / 'report.html'}" in printed.out
    assert "계산 중" in printed.err
    assert {"report.html", "index.csv", "peers.csv"} <= {path.name for path in folder.iterdir()}


def test_report_goes_to_sotong_report_by_default(
    study: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(study), str(data)]) == 0
    assert (tmp_path / "sotong-report" / "report.html").exists()


def test_report_of_faulty_answers_writes_nothing(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = reported.columns()
    columns["q2"][5] = "good"
    faulty = write(tmp_path / "faulty.csv", columns)
    folder = tmp_path / "out"
    assert main(["report", str(study), str(faulty), "--output", str(folder)]) == 1
    assert "'good'" in capsys.readouterr().out
    assert not folder.exists()


# -- what cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "report"])
def test_missing_files_end_with_2(
    command: str, study: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "nowhere.json", str(data)]) == 2
    assert "nowhere.json: No such file" in capsys.readouterr().err
    assert main([command, str(study), "nowhere.csv"]) == 2
    assert "nowhere.csv: No such file" in capsys.readouterr().err


def test_a_broken_study_file_ends_with_2_and_every_fault(
    study: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.json"
    text = study.read_text(encoding="utf-8")
    broken.write_text(text.replace('"version"', '"verison"'), encoding="utf-8")
    assert main(["check", str(broken), str(data)]) == 2
    told = capsys.readouterr().err
    assert "broken.json is not a study file" in told
    assert "verison" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.doc", b"", "expected a file ending in .csv"),
        ("x.csv", b"", "x.csv is empty"),
        ("x.csv", b"a,b\n1,2\n3\n", "expected 2 cells as in the first line, got 1 in line 3"),
        ("x.csv", b"a,a\n1,2\n", "the column 'a' twice"),
        ("x.csv", b"\xff\xfe\x00\xd8", "neither UTF-8 nor CP949"),
        ("x.csv", b'a,b\n"1,2\n', "not a readable table"),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_2(
    study: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    name: str,
    content: bytes,
    told: str,
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["check", str(study), str(path)]) == 2
    assert told in capsys.readouterr().err


def test_an_output_that_is_a_file_ends_with_2(
    study: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("", encoding="utf-8")
    assert main(["report", str(study), str(data), "--output", str(taken)]) == 2
    assert str(taken) in capsys.readouterr().err


def test_unknown_words_end_with_2_and_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demonstrate"])
    assert caught.value.code == 2
    assert "usage: python -m sotongindex" in capsys.readouterr().err


# -- as a program --------------------------------------------------------------------------------


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    home = str(Path(sotongindex.__path__[0]).parent)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "sotongindex", *words],
        env={**os.environ, "PYTHONPATH": home, **environment},
        capture_output=True,
        check=False,
    )


def test_a_terminal_without_korean_shows_question_marks(study: Path, data: Path) -> None:
    result = run("check", str(study), str(data), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, b"")
    result = run("demo", "--language", "ko", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"?" in result.stdout


def test_a_core_without_dataframe_libraries_is_enough(study: Path, data: Path) -> None:
    code = (
        "import sys; from sotongindex.__main__ import main; "
        f"code = main(['check', {str(study)!r}, {str(data)!r}]); "
        "print(code, sorted({'pandas', 'polars', 'pyarrow', 'matplotlib'} & set(sys.modules)))"
    )
    home = str(Path(sotongindex.__path__[0]).parent)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.splitlines()[-1] == "0 []"


def test_whoever_reads_only_the_first_lines_sees_no_complaint() -> None:
    home = str(Path(sotongindex.__path__[0]).parent)
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sotongindex", "demo"],
        env={**os.environ, "PYTHONPATH": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout.readline().startswith(b"A communication index")
        program.stdout.close()
        assert program.stderr.read() == b""
