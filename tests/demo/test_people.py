"""The people of the demo are invented, and their numbers are of the form that the system checks."""

from datetime import date

from domain.calculation.identifiers import Sex, check_bank_card, check_id_number, check_mobile, check_uscc
from xiaodai.demo.people import REGION, TEST_BIN, Enterprise, Individual, Registry, bank_card, credit_code, id_number

MANY = 300


def crowd(series: int) -> list[Individual | Enterprise]:
    registry = Registry(series)
    return [registry.enterprise() if number % 5 == 0 else registry.individual() for number in range(MANY)]


def test_a_telling_has_the_same_people_as_the_last() -> None:
    assert crowd(1) == crowd(1)
    assert crowd(1) != crowd(2)


def test_nobody_meets_a_number_twice() -> None:
    everyone = [person for series in (1, 2, 3) for person in crowd(series)]
    numbers = [person.uscc if isinstance(person, Enterprise) else person.id_number for person in everyone]
    assert len(set(numbers)) == len(everyone)
    assert len({person.mobile for person in everyone}) == len(everyone)
    names = [person.name for person in crowd(1)]
    assert len(set(names)) == len(names)


def test_all_numbers_are_well_formed_and_fictional() -> None:
    for person in crowd(1):
        assert check_mobile(person.mobile).startswith("1990000")
        if isinstance(person, Enterprise):
            assert check_uscc(person.uscc)[2:8] == REGION
        else:
            told = check_id_number(person.id_number)
            assert told.number.startswith(REGION)
            assert date(1972, 1, 1) <= told.birth_date <= date(2002, 1, 1)


def test_check_digits_of_known_numbers() -> None:
    assert id_number(date(1990, 1, 1), 1) == "999999199001010016"  # functions.md F08
    assert check_id_number(id_number(date(1990, 1, 1), 2)).sex is Sex.FEMALE
    assert check_uscc(credit_code(7)) == credit_code(7)
    card = bank_card(1)
    assert card == check_bank_card(card)
    assert card.startswith(TEST_BIN)
    assert card == "6217000000000000012"  # functions.md F27
