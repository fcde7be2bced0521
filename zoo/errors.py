"""The one error of the zoo that is its user's to mend."""


class UserError(ValueError):
    """An input or environment that the user can mend: one sentence, no traceback, exit code 2."""
