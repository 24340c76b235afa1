"""Print the JSON Schema of the study file as the classes are now.

To publish a change: ``python -m sotongindex.schemas > sotongindex/schemas/1/study-file.json``.
"""

from __future__ import annotations

import json
import sys

from sotongindex.schemas import make_study_file_schema

if __name__ == "__main__":
    json.dump(make_study_file_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
