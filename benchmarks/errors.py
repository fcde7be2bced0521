"""The errors that the command line answers with one sentence and exit code 2."""

from data_pipeline.errors import UserError as DataError
from zoo.errors import UserError as ZooError


class UserError(ValueError):
    """An input or environment that the user can mend: one sentence, no traceback, exit code 2."""


USER_ERRORS = (UserError, DataError, ZooError)
