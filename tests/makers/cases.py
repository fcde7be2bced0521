"""Every architecture, variant and rank, as small as it goes: what the contract is tested over."""

from dataclasses import dataclass

import zoo

# The smallest sides that fit every depth; the encoders shrink 32 times.
SIDES = {2: (32, 32), 3: (16, 16, 16)}
DEEP = {"segformer3d", "swin_unetr"}  # shrink volumes 32 times, too
# Windows of 64 voxels for 343, whose attention would take minutes.
SETTINGS = {"swin_unetr": {"window": 4}}


@dataclass(frozen=True)
class Case:
    name: str
    variant: str | None
    rank: int

    def __str__(self) -> str:
        return "-".join(filter(None, (self.name, self.variant, f"{self.rank}d")))

    def shape(self, channels: int = 3) -> tuple[int, ...]:
        sides = (32,) * self.rank if self.name in DEEP else SIDES[self.rank]
        return (*sides, channels)

    def create(self, classes: int = 1, channels: int = 3, width: float = 0.125, **settings):
        settings = SETTINGS.get(self.name, {}) | settings
        return zoo.create(self.name, self.shape(channels), classes, self.variant, width, **settings)


def resized(variant) -> bool:
    """Whether a variant has the parts of the default in other numbers: wider, deeper, larger.

    `size`, a letter, stands for such numbers.
    """
    numbers = [value for key, value in variant.settings.items() if key != "size"]
    values = [x for value in numbers for x in (value, *as_tuple(value))]
    return all(isinstance(x, int | tuple) and not isinstance(x, bool) for x in values)


def as_tuple(value) -> tuple:
    return value if isinstance(value, tuple) else ()


EVERY = [
    Case(name, variant, rank)
    for name in zoo.names()
    for variant in (None, *zoo.card(name).variants)
    for rank in zoo.card(name).ranks
]
RESIZED = [
    case for case in EVERY if case.variant and resized(zoo.card(case.name).variants[case.variant])
]
CASES = [case for case in EVERY if case not in RESIZED]
# Tried in full by `make test-slow`: forms that others stand for, by their parts or by their slices.
STOOD_FOR = [
    *RESIZED,
    *(case for case in CASES if case.variant and case.rank == 3 and 2 in zoo.card(case.name).ranks),
]
