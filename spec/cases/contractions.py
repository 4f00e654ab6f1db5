"""What is contracted with what: equations of einsum, pairs of dimensions of tensordot."""

from __future__ import annotations

from math import prod
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from typing import TypeAlias

from hypothesis import strategies as st

from tenet.spec.cases.pools import from_pool
from tenet.spec.cases.shapes import Shape

Equation: TypeAlias = tuple[str, tuple[Shape, ...]]
"""In the notation of einsum, and the shapes of its operands."""
Pairs: TypeAlias = tuple[Shape, Shape, tuple[int, ...], tuple[int, ...]]
"""Two shapes, and the dimensions of each that are contracted, in the order of their partners."""

_LETTERS = "abcXY"
_LENGTHS = (2, 3, 1, 4, 5, 2, 3)
_MOST_TERMS = 2000
"""So that sums of products of three whole numbers up to 9, complex ones too, are below 2^24."""
_MANY = 400
_DOTS = "..."


def _equation(random: Random) -> Equation | None:
    """One of one to three operands; letters may repeat, within an operand, too. None where there
    would be too many products."""
    lengths = {letter: random.choice(_LENGTHS) for letter in _LETTERS}
    further = tuple(random.choice((2, 3)) for _ in range(random.choice((1, 2))))
    terms, shapes = [], []
    for _ in range(random.choice((2, 1, 2, 3))):
        letters = [random.choice(_LETTERS) for _ in range(random.choice((2, 1, 3, 2, 0)))]
        # A length of 1 is stretched to that of the others.
        own = {each: 1 if random.random() < 0.1 else lengths[each] for each in letters}
        shape = [own[letter] for letter in letters]
        if random.random() < 0.2:
            at = random.randint(0, len(letters))
            letters.insert(at, _DOTS)
            shape[at:at] = further[random.choice((0, 0, 1)) :]
        terms.append("".join(letters))
        shapes.append(tuple(shape))
    equation = ",".join(terms)
    named = sorted(set(equation).intersection(ascii_letters))
    if prod(lengths[letter] for letter in named) * prod(further) > _MOST_TERMS:
        return None
    if random.random() < 0.7:
        kept = random.sample(named, random.randint(0, len(named)))
        if _DOTS in equation:
            kept.insert(random.randint(0, len(kept)), _DOTS)
        equation += "->" + "".join(kept)
    return equation, tuple(shapes)


def terms_of(equation: str) -> tuple[list[str], str | None]:
    """The subscripts of the operands, and those of the result where it is named."""
    operands, arrow, result = equation.partition("->")
    return operands.split(","), result if arrow else None


def numbered(term: str) -> list[object]:
    """Subscripts as einsum takes them in lists: capital letters are the numbers from 0, small ones
    those from 26, and dots an Ellipsis."""
    order = ascii_uppercase + ascii_lowercase
    before, dots, behind = term.partition(_DOTS)
    middle: list[object] = [Ellipsis] if dots else []
    return [*map(order.index, before), *middle, *map(order.index, behind)]


def _equations() -> list[Equation]:
    random = Random("equations")
    drawn = (_equation(random) for _ in range(_MANY))
    pool = {each for each in drawn if each is not None}
    return sorted(pool, key=lambda each: (len(each[1]), len(each[0]), each))


def _pairs() -> list[Pairs]:
    """Mostly of lengths that are equal, so that the wrong partner would fit as well."""
    random = Random("pairs")
    pool = set()
    for _ in range(_MANY):
        first = [random.choice((2, 3, 2, 1, 4)) for _ in range(random.choice((2, 3, 1, 4)))]
        count = random.randint(0, len(first))
        of_first = random.sample(range(len(first)), count)
        rest = [random.choice((2, 3)) for _ in range(random.choice((1, 0, 2)))]
        partners = [*of_first, *[None] * len(rest)]
        random.shuffle(partners)
        free = iter(rest)
        second = [next(free) if each is None else first[each] for each in partners]
        of_second = [partners.index(each) for each in of_first]
        signed = [
            tuple(dim - random.choice((0, 0, len(shape))) for dim in dims)
            for shape, dims in ((first, of_first), (second, of_second))
        ]
        pool.add((tuple(first), tuple(second), signed[0], signed[1]))
    return sorted(pool, key=lambda each: (len(each[2]), len(each[0]) + len(each[1]), each))


EINSUMS: st.SearchStrategy[Equation] = from_pool(_equations)
PAIRINGS: st.SearchStrategy[Pairs] = from_pool(_pairs)
