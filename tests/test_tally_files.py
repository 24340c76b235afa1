"""Tallies in files, and tallies of batches."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lazy import assert_same_tally
from support import small_study

from sotongindex.calibration import rake
from sotongindex.datasets import sample_panel
from sotongindex.errors import MethodError, ResponseError, SchemaError
from sotongindex.responses import Responses
from sotongindex.tally import Tally, add_tallies
from sotongindex.tally_files import load_tally, save_tally

PANEL = sample_panel(respondents=60)
TABLE = PANEL.to_frame("polars")
STUDY = PANEL.study
WHOLE = Tally.from_frame(TABLE, STUDY, weight="weight", groups=8)
SUMS = ("weight", "squared_weight", "answer_weight", "points")
COUNTS = ("organization", "channel", "group", "evaluations", "answers")


def batches(*frames: object, **options: object) -> Tally:
    return Tally.from_batches(frames, STUDY, weight="weight", groups=8, **options)


# -- merging ---------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(TABLE)), max_size=4), st.randoms(use_true_random=False))
def test_split_anywhere_and_merged_in_any_order(cuts, random):
    ends = [0, *sorted(cuts), len(TABLE)]
    parts = [TABLE[start:stop] for start, stop in pairwise(ends)]
    assert_same_tally(batches(*parts), WHOLE)
    tallies = [batches(part) for part in parts if len(part)]
    random.shuffle(tallies)
    assert_same_tally(add_tallies(tallies), WHOLE)
    while len(tallies) > 1:  # in pairs, from wherever
        left, right = tallies.pop(random.randrange(len(tallies))), tallies.pop()
        tallies.append(left + right)
    assert_same_tally(tallies[0], WHOLE)


def test_batches_of_one_row_and_of_none():
    rows = [TABLE[place : place + 1] for place in range(40)]
    empty = TABLE.head(0)
    assert_same_tally(batches(empty, *rows, empty), batches(TABLE[:40]))
    for nothing in ((), (empty, empty)):
        with pytest.raises(MethodError, match="one batch with rows"):
            batches(*nothing)


def test_any_kind_of_frame_is_a_batch():
    arrow = TABLE.to_arrow()
    records = pa.Table.to_batches(arrow, max_chunksize=100)
    assert_same_tally(batches(*records), WHOLE)
    reader = pa.RecordBatchReader.from_batches(arrow.schema, records)
    assert_same_tally(Tally.from_batches(reader, STUDY, weight="weight", groups=8), WHOLE)
    columns = TABLE[:50].to_dict(as_series=False)
    assert_same_tally(batches(columns, TABLE[50:].to_pandas()), WHOLE)


@pytest.mark.parametrize("processes", [1, 2])
def test_files_and_folders(tmp_path: Path, processes):
    TABLE[:100].write_parquet(tmp_path / "a.parquet", row_group_size=30)
    TABLE[100:].write_parquet(tmp_path / "b.parquet")
    told: list[int] = []
    options = {"weight": "weight", "groups": 8, "moments": True, "frequencies": True}
    tally = Tally.from_batches(
        tmp_path, STUDY, processes=processes, progress=told.append, **options
    )
    assert_same_tally(attrs.evolve(tally, frequencies=None), WHOLE)
    whole = Responses.from_frame(TABLE, STUDY, weight="weight")
    expected = Tally.from_responses(whole, groups=8, moments=True, frequencies=True)
    np.testing.assert_allclose(tally.frequencies, expected.frequencies)
    assert tally.moments is not None
    assert expected.moments is not None
    np.testing.assert_allclose(
        tally.moments.sums.products, expected.moments.sums.products, rtol=1e-9, atol=1e-6
    )
    assert told[-1] == len(TABLE)
    files = [tmp_path / "b.parquet", str(tmp_path / "a.parquet")]
    assert_same_tally(Tally.from_batches(files, STUDY, weight="weight", groups=8), WHOLE)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_faulty_batch_is_named(tmp_path: Path, processes):
    TABLE.write_parquet(tmp_path / "good.parquet")
    wrong = TABLE.with_columns(organization=pl.lit("kt"))
    wrong.write_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(ResponseError, match=r"wrong\.parquet, rows from 0: unknown") as caught:
        Tally.from_batches(tmp_path, STUDY, processes=processes)
    assert caught.value.report.errors[0].values == ("kt",)
    with pytest.raises(ResponseError, match="batch 1: expected a column"):
        batches(TABLE, TABLE.drop("weight"))


def test_what_cannot_be_worked_through(tmp_path: Path):
    with pytest.raises(MethodError, match="no Parquet file"):
        Tally.from_batches(tmp_path / "nothing", STUDY)
    with pytest.raises(MethodError, match="no Parquet file"):
        Tally.from_batches(tmp_path, STUDY)
    (tmp_path / "odd.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(MethodError, match=r"odd\.parquet cannot be read as Parquet") as caught:
        Tally.from_batches(tmp_path, STUDY)
    assert caught.value.__cause__ is not None
    with pytest.raises(MethodError, match="1 or more"):
        batches(TABLE, processes=0)
    for single in (7, TABLE, TABLE.to_pandas(), TABLE.to_arrow(), TABLE.to_dict()):
        with pytest.raises(MethodError, match="put a single frame into a list"):
            Tally.from_batches(single, STUDY)


class Fatal:
    """A batch that ends the process which opens it."""

    def __reduce__(self):
        import os

        return os._exit, (3,)


def test_a_lost_process():
    with pytest.raises(MethodError, match="a process was lost"):
        batches(Fatal(), processes=2)


# -- files -----------------------------------------------------------------------------------------


def calibrated() -> Tally:
    responses = Responses.from_frame(TABLE, STUDY, keep=["age_group"])
    ages = TABLE["age_group"].unique().to_list()
    raked = rake(responses, {"age_group": {age: 1 / len(ages) for age in ages}})
    return Tally.from_responses(raked, groups=4, moments=True, frequencies=True)


def golden_tally() -> Tally:
    """Return what is in the golden file: a study, answers, weights, moments, replicates."""
    study = small_study(channels=("blog", "app"), items=[("q1", "d1"), ("q2", "d2")])
    places = range(12)
    frame = {
        "respondent": [place // 2 for place in places],
        "organization": ["ab"[place // 2 % 2] for place in places],
        "channel": [("blog", "app")[place % 2] for place in places],
        "q1": [1 + place % 7 for place in places],
        "q2": [7 - place % 5 for place in places],
        "sex": ["fm"[place // 2 % 3 == 0] for place in places],
    }
    raked = rake(Responses.from_frame(frame, study, keep="sex"), {"sex": {"f": 0.5, "m": 0.5}})
    return Tally.from_responses(raked, groups=2, moments=True, frequencies=True)


def test_files_of_the_first_version_are_read():
    tally, found = golden_tally(), load_tally(Path(__file__).parent / "golden/tallies/1.tally")
    assert_same_tally(found, tally)
    assert found.study == tally.study
    assert found.moments is not None
    assert found.replicates is not None
    np.testing.assert_allclose(found.frequencies, tally.frequencies)
    assert tally.replicates is not None
    np.testing.assert_allclose(found.replicates.points, tally.replicates.points)


def assert_same_bits(found: Tally, tally: Tally) -> None:
    assert found.study == tally.study
    assert found.groups == tally.groups
    for name in (*COUNTS, *SUMS, "categories", "frequencies"):
        value, wanted = getattr(found, name), getattr(tally, name)
        if wanted is None:
            assert value is None
        else:
            np.testing.assert_array_equal(value, wanted)
            assert value.dtype == wanted.dtype
    for name in ("moments", "replicates"):
        assert (getattr(found, name) is None) == (getattr(tally, name) is None)
    if tally.moments is not None and tally.replicates is not None:
        assert found.moments is not None
        assert found.replicates is not None
        np.testing.assert_array_equal(found.moments.sums.products, tally.moments.sums.products)
        np.testing.assert_array_equal(found.replicates.points, tally.replicates.points)


@pytest.mark.parametrize("made", [lambda: WHOLE, calibrated], ids=["plain", "everything"])
def test_a_file_gives_the_same_bits(tmp_path: Path, made):
    tally, path = made(), tmp_path / "today.tally"
    save_tally(tally, path)
    assert_same_bits(load_tally(path), tally)
    assert [one.name for one in tmp_path.iterdir()] == ["today.tally"]


def test_a_tracker_adds_today_to_yesterday(tmp_path: Path):
    path = tmp_path / "panel.tally"
    save_tally(batches(TABLE[:200]), path)
    save_tally(load_tally(path) + batches(TABLE[200:]), path)
    assert_same_tally(load_tally(path), WHOLE)
    assert path.stat().st_size < 0.5 * sum(getattr(WHOLE, name).nbytes for name in (*COUNTS, *SUMS))


def stored(path: Path, **changes: object) -> Path:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays["header"].tobytes()) | changes
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def test_files_that_are_none(tmp_path: Path):
    path = tmp_path / "a.tally"
    save_tally(WHOLE, path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(SchemaError, match="no tally, or a damaged one"):
            load_tally(path)
    with path.open("wb") as file:
        np.savez(file, points=np.zeros(3))
    with pytest.raises(SchemaError, match="no file of a tally"):
        load_tally(path)
    for changes, message in (
        ({"schema": 2}, "later version"),
        ({"sotongindex": "norm"}, "expected a tally, got 'norm'"),
        ({"groups": 0}, "expected 1 or more"),
        ({"groups": 2}, "group: expected"),
    ):
        save_tally(WHOLE, path)
        with pytest.raises(SchemaError, match=message):
            load_tally(stored(path, **changes))
    save_tally(WHOLE, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, array, message in (
        ("points", arrays["points"][:, :2], "points: expected shape"),
        ("weight", arrays["weight"][:2], "weight: expected"),
        ("frequency", np.ones(3), "frequency: unknown array"),
    ):
        with path.open("wb") as file:
            np.savez(file, **{**arrays, name: array})
        with pytest.raises(SchemaError, match=message):
            load_tally(path)
    del arrays["answers"]
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(SchemaError, match="missing or odd: 'answers'"):
        load_tally(path)


def test_nothing_half_written(tmp_path: Path):
    path = tmp_path / "a.tally"
    save_tally(WHOLE, path)
    before = path.read_bytes()
    with pytest.raises(MethodError):
        save_tally(attrs.evolve(WHOLE, study=None), path)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError):
        save_tally(WHOLE, tmp_path / "no" / "folder")


def test_a_wrong_byte_is_found_or_means_nothing(tmp_path: Path):
    path, tally = tmp_path / "wave.tally", golden_tally()
    save_tally(tally, path)
    content, refused = path.read_bytes(), 0
    for position in range(0, len(content), 3):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 255]) + content[position + 1 :]
        )
        try:
            assert_same_bits(load_tally(path), tally)
        except SchemaError:
            refused += 1
    assert refused > len(content) / 3 / 2
