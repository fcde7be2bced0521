"""The errors of the data pipeline that are its user's to mend."""


class UserError(ValueError):
    """An input or environment that the user can mend: one sentence, no traceback, exit code 2."""


class Quarantined(UserError):  # noqa: N818 - it says what happened to the case
    """A case that can't be read while its neighbours can: listed with its reason and left out."""
