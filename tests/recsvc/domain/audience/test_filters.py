import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.audience.filters import names_of, parse_rule
from recsvc.domain.errors import InvalidError

SCORES = {
    "churn_risk": np.array([0.9, 0.6, 0.1, 0.7, np.nan], np.float32),
    "value": np.array([10, 20, 30, 40, 50], np.float32),
}
KNOWN = frozenset(SCORES)


def who(text: str) -> list[int]:
    return np.flatnonzero(parse_rule(text, KNOWN).passes(SCORES)).tolist()


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("churn_risk >= 0.6", [0, 1, 3]),
        ("churn_risk > 0.6", [0, 3]),
        ("value <= 20", [0, 1]),
        ("value < 20", [0]),
        ("value >= p50", [2, 3, 4]),
        ("value > p100", []),
        ("churn_risk >= 0.6 and value >= p70", [3]),
        ("churn_risk >= 0.6 or value >= 30", [0, 1, 2, 3, 4]),
        ("value < 20 or value > 40 and churn_risk > 0", [0]),
        ("(value < 20 or value > 40) and churn_risk > 0", [0]),
        ("not churn_risk >= 0.6", [2]),
        ("not (churn_risk >= 0.6 and value < 30)", [2, 3, 4]),
        ("not not value < 20", [0]),
        ("value > -1", [0, 1, 2, 3, 4]),
    ],
)
def test_a_rule_means_what_it_says(text: str, passes: list[int]) -> None:
    assert who(text) == passes


def test_a_cardholder_without_the_score_passes_neither_a_rule_nor_its_negation() -> None:
    assert 4 not in who("churn_risk >= 0")
    assert 4 not in who("not churn_risk >= 0")


def test_a_rule_names_the_scores_it_asks_for() -> None:
    assert names_of(parse_rule("not (value > 1 or churn_risk < p5)", KNOWN)) == KNOWN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected one of churn_risk, value at character 1"),
        ("income > 3", "expected one of churn_risk, value at character 1"),
        ("value", "expected one of >="),
        ("value == 3", "no word of a rule at character 6"),
        ("value > p101", "p0 to p100"),
        ("value > churn_risk", "a number or a percentile"),
        ("value > 3 value > 4", "'and', 'or' or the end at character 11"),
        ("(value > 3", r"'\)' at character 11"),
        ("value.__class__ > 1", "character"),
        ("__import__('os')", "no word"),
        ("value > 1e9", "character"),
        ("value > nan", "a number"),
        ("(" * 30 + "value > 1" + ")" * 30, "nested"),
        ("value > 1" + " and value > 1" * 20, "more than 20"),
        ("value > 1 " + " " * 600 + "and", "longer than 500"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidError, match=says):
        parse_rule(text, KNOWN)


@given(st.text(alphabet="valuechrn_isk ()><=p0123456789.notandor", max_size=80))
def test_any_text_is_a_rule_or_an_error_that_names_the_field(text: str) -> None:
    try:
        passed = who(text)
    except InvalidError as error:
        pointer, passed = error.pointer, []
    else:
        pointer = "/filter"

    assert pointer == "/filter"
    assert set(passed) <= set(range(5))


comparison = st.builds(
    "{} {} {}".format,
    st.sampled_from(sorted(SCORES)),
    st.sampled_from([">=", ">", "<=", "<"]),
    st.sampled_from(["0.5", "20", "p30", "p80"]),
)


@given(comparison, comparison, st.sampled_from(["and", "or"]))
def test_a_rule_and_its_negation_divide_those_whose_scores_are_known(
    one: str, other: str, word: str
) -> None:
    rule = parse_rule(f"{one} {word} {other}", KNOWN).passes(SCORES)
    negation = parse_rule(f"not ({one} {word} {other})", KNOWN).passes(SCORES)

    assert (rule[:4] ^ negation[:4]).all()
