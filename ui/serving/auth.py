"""What `--auth` names: a file of accounts, or a function of one's own that says who may come in.

`--auth` alone is the file that `footnote auth` writes, `--auth FILE` another one, and `--auth package.module:function`
a function, which is imported as from the folder that the command runs in. Knows nothing of pages or HTTP.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import SettingsError
from ui.serving.accounts import Accounts, default_file

if TYPE_CHECKING:
    from ui.serving.signin import Check, SignIn

_FUNCTION = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*)")


def add_auth_option(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add `--auth [FILE | MODULE:FUNCTION]` to a command line; alone it is "", which means `default_file`."""
    text = f"{help_text} in FILE (default: the file that footnote auth writes), or whom FUNCTION(name, password) knows"
    parser.add_argument("--auth", nargs="?", const="", metavar="FILE|MODULE:FUNCTION", help=text)


def auth_of(value: str | None) -> Check | Accounts | None:
    """Who may come in, by what `--auth` was given; None where it was not: everybody.

    Raises:
        SettingsError: as `Accounts.read`, or there is no such module or function.
    """
    if value is None:
        return None
    named = _FUNCTION.fullmatch(value)
    if named is None or Path(value).exists():
        return Accounts.read(Path(value) if value else default_file())
    return _function(named["module"], named["name"])


def sign_in_by(auth: Check | Accounts) -> SignIn:
    """The sign-in over accounts or over a function."""
    from ui.serving.signin import SignIn

    return SignIn.of(auth) if isinstance(auth, Accounts) else SignIn(auth)


def _function(module_name: str, name: str) -> Check:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # behind all else: a file of this folder hides no library
    try:
        module = import_module(module_name)
    except Exception as error:  # whatever a module of somebody else's does when it is imported
        problem = f"The module {module_name!r} of --auth cannot be imported: {type(error).__name__}: {error}."
        raise SettingsError(problem, "Run the command in its folder, or set PYTHONPATH.") from error
    check = getattr(module, name, None)
    if check is None:
        raise SettingsError(f"The module {module_name!r} has no {name!r} for --auth.", "Name a function of it.")
    try:
        inspect.signature(check).bind("name", "password")
    except (TypeError, ValueError) as error:  # no function at all, or one that takes something else
        problem = f"{module_name}:{name} cannot be called with a name and a password: {error}."
        raise SettingsError(problem, "Give --auth a function(name, password) that says True or False.") from error
    function: Check = check
    return function
