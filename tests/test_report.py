"""The report: one page that stands alone, escaped, and CSV files that hold the same numbers."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import attrs
import pytest
import reported
from test_html import parse

from sotongindex.errors import MethodError
from sotongindex.recipe import Findings, run_recipe
from sotongindex.report import write_report

LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def findings() -> Findings:
    return reported.findings()


@pytest.fixture(scope="module")
def folder(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    for language in LANGUAGES:
        check = reported.responses().report
        write_report(findings, folder / language, language=language, check=check)
    return folder


def html(folder: Path, language: str) -> str:
    return (folder / language / "report.html").read_text(encoding="utf-8")


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "en" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# -- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone_and_escapes_what_clients_wrote(folder: Path, language: str) -> None:
    page = html(folder, language)
    tags = parse(page.removeprefix("<!doctype html>"))
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert not re.search(r"https?://|@import|url\(", page)
    assert reported.NASTY in "".join(tags.text)
    assert f'<html lang="{language}">' in page


def test_every_organization_has_its_block_in_the_order_of_the_league(folder: Path) -> None:
    page = html(folder, "en")
    assert page.count("<details>") == 15
    named = re.findall(r'<span class="n">(org-\d\d|middling|small|silent)', page)
    assert named[-3:] == ["middling", "small", "silent"]
    scores = [float(score) for score in re.findall(r'<span class="v">([\d.]+)', page)]
    assert scores[:12] == sorted(scores[:12], reverse=True)


def test_the_page_says_what_it_hides(folder: Path, findings: Findings) -> None:
    page = html(folder, "en")
    hidden = findings.index.index.values[findings.index.organizations.index(reported.SMALL)]
    small = page.split(f'<span class="n">{reported.SMALL}</span>')[1].split("</details>")[0]
    assert "The index is not shown: too few respondents." in small
    assert f"{hidden:.1f}" not in small
    assert "svg" not in small
    assert "not rated at all: no score (1: silent)" in page


def test_the_page_is_in_the_language_asked_for(folder: Path) -> None:
    korean, english = html(folder, "ko"), html(folder, "en")
    assert "읽는 방법" in korean
    assert "전체 기관 순위" in korean
    assert "How to read this" not in korean
    assert "Method and provenance" in english
    assert not re.search("순위|구간|응답자", english)


def test_the_page_shows_light_or_dark_as_the_reader_wants(folder: Path) -> None:
    page = html(folder, "en")
    assert "color-scheme:light dark" in page
    assert "prefers-color-scheme:dark" in page


def test_the_same_findings_give_the_same_bytes(
    findings: Findings, folder: Path, tmp_path: Path
) -> None:
    again = write_report(findings, tmp_path, check=reported.responses().report)
    assert again.read_text(encoding="utf-8") == html(folder, "en")


# -- the files -----------------------------------------------------------------------------------


def test_files_are_those_that_the_page_lists(folder: Path) -> None:
    listed = re.findall(r'<a href="([a-z]+\.csv)">', html(folder, "en"))
    assert sorted(listed) == sorted(path.name for path in (folder / "en").glob("*.csv"))
    assert {"index.csv", "channels.csv", "items.csv", "peers.csv", "gaps.csv"} <= set(listed)


@pytest.mark.parametrize(
    ("name", "count"),
    [("index", 15), ("channels", 30), ("dimensions", 30), ("cells", 60), ("items", 60)],
)
def test_files_hold_every_number_in_full_but_for_those_hidden(
    folder: Path, findings: Findings, name: str, count: int
) -> None:
    written = rows(folder, name)
    assert len(written) == count
    for row, known in zip(written, findings.index.to_rows(name), strict=True):
        if known["organization"] == reported.SMALL:
            assert (row["score"], row["low"], row["reason"]) == ("", "", "few respondents")
        elif known["score"] is None:
            assert (row["score"], row["reason"]) == ("", "missing score")
        else:
            assert float(row["score"]) == known["score"]
            assert float(row["high"]) == known["high"]


def test_spreadsheets_read_korean_and_run_no_formula(tmp_path: Path, findings: Findings) -> None:
    index = findings.index
    renamed = attrs.evolve(
        index,
        study=attrs.evolve(
            index.study,
            organizations=[
                attrs.evolve(one, key="=1+1") if one.key == "org-03" else one
                for one in index.study.organizations
            ],
        ),
    )
    write_report(Findings(index=renamed, benchmarks=None, gaps=None), tmp_path)
    data = (tmp_path / "index.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert b"\n'=1+1," in data


def test_a_recipe_without_peers_and_targets_has_a_shorter_report(tmp_path: Path) -> None:
    recipe = attrs.evolve(reported.recipe(), peers=(), targets=())
    page = write_report(run_recipe(recipe, reported.responses()), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "Percentile" not in text
    assert "What to improve first" not in text
    assert not (tmp_path / "peers.csv").exists()
    parse(text.removeprefix("<!doctype html>"))


def test_a_large_study_shows_some_hundreds_and_says_so(
    findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sotongindex._page._MOST_DETAILS", 4)
    text = write_report(findings, tmp_path).read_text(encoding="utf-8")
    assert text.count("<details>") == 4
    assert "The first 4 organizations are shown here; all are in the CSV files." in text


def test_an_unknown_language_writes_nothing(findings: Findings, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="language"):
        write_report(findings, tmp_path / "new", language="kr")
    assert not (tmp_path / "new").exists()


def test_scores_without_errors_are_reported_without_bands(tmp_path: Path) -> None:
    page = write_report(reported.published(), tmp_path).read_text(encoding="utf-8")
    parse(page.removeprefix("<!doctype html>"))
    assert "Industry" not in page
    assert not re.search(r"\b(nan|None)\b", page)
    assert "rest on the standard errors that came with the scores" in page
    assert "Respondents per organization" not in page
