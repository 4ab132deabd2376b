"""The tables of faults and of privacy say where each case is tested, and say so truly."""

import re

from tests.contracts.case_tables import CASE, NOT_TESTED, TABLES, cases_tested, rows

FAULTS = {f"F{number:02d}" for number in range(1, 63)}
NAMED = re.compile(r"`([^`]+)`")
REWRITE = "run: python -m tests.contracts.case_tables"


def test_each_file_that_a_table_names_has_a_test_that_names_the_case() -> None:
    tested = cases_tested()
    for path in TABLES:
        for case, where in rows(path.read_text("utf-8")).items():
            if not where.startswith(NOT_TESTED):
                assert NAMED.findall(where), f"{case}: {REWRITE}"
                assert set(NAMED.findall(where)) <= set(tested.get(case, ())), f"{case}: {REWRITE}"


def test_every_fault_and_every_rule_that_a_test_names_has_its_row() -> None:
    faults, privacy = (rows(path.read_text("utf-8")) for path in TABLES)

    assert set(faults) == FAULTS
    assert set(cases_tested()) <= FAULTS | set(privacy)
    assert all(CASE.fullmatch(case) for case in (*faults, *privacy))


def test_a_case_without_a_test_says_why() -> None:
    for path in TABLES:
        for case, where in rows(path.read_text("utf-8")).items():
            assert case in cases_tested() or where.startswith(NOT_TESTED), case
