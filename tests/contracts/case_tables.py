"""The tables in docs/faults.md and docs/privacy.md: which case is tested where.

Rewrite them with: ``python -m tests.contracts.case_tables``.
"""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = (ROOT / "docs" / "faults.md", ROOT / "docs" / "privacy.md")
TEST = re.compile(r"^\s*def (test_\w+)", re.MULTILINE)
CASE = re.compile(r"[fFpP]\d\d[a-z]?")
ROW = re.compile(r"^\| (?P<case>[FP]\d\d[a-z]?) \|(?P<what>[^|]*)\|(?P<where>[^|]*)\|$")
NOT_TESTED = "not: "


def cases_tested() -> dict[str, list[str]]:
    """Files with tests that name a case, by case."""
    files: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in TEST.findall(path.read_text("utf-8")):
            for word in name.split("_"):
                if CASE.fullmatch(word):
                    files[word[:3].upper() + word[3:]].add(path.relative_to(ROOT).as_posix())
    return {case: sorted(found) for case, found in files.items()}


def rewritten(text: str, tested: dict[str, list[str]]) -> str:
    """A document whose table tells where each case is tested now."""
    return "\n".join(_line(line, tested) for line in text.split("\n"))


def _line(line: str, tested: dict[str, list[str]]) -> str:
    row = ROW.match(line)
    if row is None:
        return line
    found = [f"`{path}`" for path in tested.get(row["case"], ())]
    where = ", ".join(found) if found else row["where"].strip()
    return f"| {row['case']} | {row['what'].strip()} | {where} |"


def rows(text: str) -> dict[str, str]:
    """Where each case of a document's table is tested, or why it is not."""
    found = (ROW.match(line) for line in text.split("\n"))
    return {row["case"]: row["where"].strip() for row in found if row}


def main() -> None:
    """Rewrite both tables."""
    tests = cases_tested()
    for path in TABLES:
        path.write_text(rewritten(path.read_text("utf-8"), tests), "utf-8")


if __name__ == "__main__":
    main()
