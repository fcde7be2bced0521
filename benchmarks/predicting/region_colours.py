"""The colours of regions and of errors in every picture; the colour-blind tell them apart."""

Colour = tuple[float, float, float]

TRUE: Colour = (0.0, 0.62, 0.45)
MISSED: Colour = (0.90, 0.60, 0.0)
FALSE: Colour = (0.58, 0.24, 0.92)
NESTED: tuple[Colour, ...] = (TRUE, MISSED, FALSE, (0.34, 0.71, 0.91))  # the widest region first
