"""The tables of faults and of privacy say where each case is tested, and say so truly."""

from tests.contracts.case_tables import (
    CASE,
    NOT_TESTED,
    TABLES,
    cases_tested,
    rewritten,
    rows,
)

FAULTS = {f"F{number:02d}" for number in range(1, 63)}


def test_each_table_is_what_the_tests_say() -> None:
    tests = cases_tested()
    for path in TABLES:
        text = path.read_text("utf-8")

        assert text == rewritten(text, tests), "run: python -m tests.contracts.case_tables"


def test_every_fault_and_every_rule_that_a_test_names_has_its_row() -> None:
    faults, privacy = (rows(path.read_text("utf-8")) for path in TABLES)
    named = set(cases_tested())

    assert set(faults) == FAULTS
    assert named <= FAULTS | set(privacy)
    assert all(CASE.fullmatch(case) for case in (*faults, *privacy))


def test_a_case_without_a_test_says_why() -> None:
    tests = cases_tested()
    for path in TABLES:
        for case, where in rows(path.read_text("utf-8")).items():
            assert case in tests or where.startswith(NOT_TESTED), case
