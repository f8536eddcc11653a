"""Three-valued truth."""

import pytest

from cds_service.clinical.truth import Truth, every

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


@pytest.mark.parametrize("answer", Truth)
def test_a_truth_refuses_to_be_taken_for_a_bool(answer: Truth) -> None:
    with pytest.raises(TypeError, match="three values"):
        bool(answer)


@pytest.mark.parametrize(("answer", "opposite"), [(T, F), (F, T), (U, U)])
def test_the_opposite_of_not_known_is_not_known(answer: Truth, opposite: Truth) -> None:
    assert ~answer is opposite


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([], T), ([T], T), ([T, T], T), ([T, U], U), ([U], U), ([U, F], F), ([T, F], F), ([F, U, T], F)],
)
def test_every_is_false_once_one_is_false_and_unknown_once_one_is_unknown(
    answers: list[Truth], expected: Truth
) -> None:
    assert every(answers) is expected
