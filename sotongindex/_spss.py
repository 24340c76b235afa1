"""SPSS and Stata: columns with their value labels and user-missing codes, with pyreadstat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sotongindex._columns import label_text
from sotongindex._files import array_of, opened, reader_package
from sotongindex.errors import MethodError, nearest_key

__all__ = ["LabelledTable", "read_labelled"]


@attrs.frozen(kw_only=True, eq=False)
class LabelledTable:
    """A table with what its makers wrote about it.

    Attributes:
        columns: The columns, one array each: numbers, days, or text; what `check_responses` takes.
        labels: What each variable is called; those without a label are left out.
        value_labels: What each code of a variable means.
        missing: The codes of each variable that its makers declared missing: those that occur or
            have a label, ascending. They stay in the columns; `Scale.missing` names them.
    """

    columns: Mapping[str, NDArray[Any]]
    labels: Mapping[str, str]
    value_labels: Mapping[str, Mapping[float | str, str]]
    missing: Mapping[str, tuple[float, ...]]

    def labelled(self, *names: str) -> Mapping[str, NDArray[Any]]:
        """Return the columns, with labels in place of codes in those that are named.

        Codes without a label stay as text.

        Raises:
            MethodError: If there is no such column.
        """
        changed = dict(self.columns)
        for name in names:
            if name not in changed:
                nearest = nearest_key(name, changed)
                raise MethodError(
                    f"there is no column {name!r}"
                    + (f"; did you mean {nearest!r}?" if nearest else ""),
                    argument="names",
                )
            known = self.value_labels.get(name, {})
            texts = [known.get(code, label_text(code)) for code in changed[name].tolist()]
            changed[name] = array_of(texts)
        return changed


def read_labelled(path: Path, encoding: str | None) -> LabelledTable:
    """Read a .sav, .zsav or .dta file.

    Raises:
        MethodError: If pyreadstat is not installed, or the file is damaged.
        OSError: If the file cannot be read.
    """
    package = reader_package("pyreadstat", "spss")
    read = package.read_dta if path.suffix.lower() == ".dta" else package.read_sav
    with opened(path):
        columns, about = read(str(path), user_missing=True, output_format="dict", encoding=encoding)
    arrays = {name: array_of(cells) for name, cells in columns.items()}
    value_labels = {name: dict(codes) for name, codes in about.variable_value_labels.items()}
    return LabelledTable(
        columns=arrays,
        labels={name: label for name, label in about.column_names_to_labels.items() if label},
        value_labels=value_labels,
        missing={
            name: _codes(arrays[name], value_labels.get(name, {}), ranges)
            for name, ranges in about.missing_ranges.items()
            if arrays[name].dtype.kind == "f"
        },
    )


def _codes(
    values: NDArray[Any],
    labels: Mapping[float | str, str],
    ranges: Iterable[Mapping[str, float]],
) -> tuple[float, ...]:
    """Return the codes within the ranges that occur or have a label."""
    labelled = [code for code in labels if not isinstance(code, str)]
    known = np.unique(np.concatenate([values[~np.isnan(values)], np.array(labelled, dtype=float)]))
    inside = np.zeros(len(known), dtype=np.bool_)
    for ends in ranges:
        inside |= (known >= ends["lo"]) & (known <= ends["hi"])
    return tuple(known[inside].tolist())
