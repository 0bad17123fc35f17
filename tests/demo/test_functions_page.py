"""docs/functions.md is what the program says today."""

from domain.catalogue import FUNCTIONS
from xiaodai.functions_page import PAGE, operations_by_code, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m xiaodai.functions_page"


def test_operations_belong_to_known_functions() -> None:
    found = operations_by_code()
    assert set(found) <= {function.code for function in FUNCTIONS}
    assert "requestInterestWaiver" in found["F14"]
    assert {"enterReceipt", "registerReceipt"} <= {*found["F19"], *found["F20"]}
