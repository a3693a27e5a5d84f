"""Who may sign in: a file of names with hashed passwords and hashed tokens, and `footnote auth`, which writes it.

One line each: `name:scrypt$<n>$<r>$<p>$<salt>$<key>` for a password, `name:sha256$<digest>` for a token (a token is 256
random bits, so a fast hash is enough). The file is read again when it has changed. Knows nothing of pages or HTTP.

Source: scrypt, RFC 7914; its cost (n = 2^14, r = 8, p = 5) is one that OWASP's password storage cheat sheet gives.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import re
import secrets
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rag import Settings
from rag.cli import run_safely
from rag.errors import SettingsError

SHORTEST_PASSWORD = 8
_N, _R, _P = 2**14, 8, 5  # 16 MB and about a quarter of a second
_MOST_MEMORY = 64 * 2**20
_NAME = re.compile(r"[\w.@+-]{1,64}")
_LINE = re.compile(r"([\w.@+-]{1,64}):(scrypt(?:\$\d+){3}\$[0-9a-f]+\$[0-9a-f]+|sha256\$[0-9a-f]{64})")


class Accounts:
    """The names in one file. A file that is not there holds none until the first is added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._passwords: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    @classmethod
    def read(cls, path: Path) -> Accounts:
        """The accounts of a file that has to be there and hold somebody.

        Raises:
            SettingsError: it cannot be read, or nobody could sign in.
        """
        accounts = cls(path)
        if not accounts.names():
            raise SettingsError(f"Nobody could sign in: {str(path)!r} names nobody.", "Run: footnote auth add NAME")
        return accounts

    def names(self) -> tuple[str, ...]:
        """Everybody with a password, in the order of the file."""
        self._refresh()
        return tuple(self._passwords)

    def check(self, name: str, password: str) -> bool:
        """Whether `password` is that of `name`. Takes as long for a name that does not exist."""
        self._refresh()
        known = self._passwords.get(name)
        fits = _fits(password, known or _NOBODY)
        return known is not None and fits

    def by_token(self, token: str) -> str | None:
        """Whose token this is, if anybody's."""
        self._refresh()
        return self._tokens.get(_digest(token))  # whoever could time this lookup would learn of a hash, not of a token

    def add(self, name: str, password: str) -> None:
        """Add `name`, or give it another password.

        Raises:
            SettingsError: the name has odd characters, the password is short, or the file cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} cannot be a name.", "Use letters, digits and . _ @ + - (64 at most).")
        if len(password) < SHORTEST_PASSWORD:
            raise SettingsError("The password is too short.", f"Take {SHORTEST_PASSWORD} characters or more.")
        self._refresh()
        self._write({**self._passwords, name: _hashed(password)}, self._tokens)

    def new_token(self, name: str) -> str:
        """A new token for `name`; it cannot be shown again.

        Raises:
            SettingsError: there is no such name, or the file cannot be written.
        """
        self._must_know(name)
        token = f"fn-{secrets.token_urlsafe(32)}"
        self._write(self._passwords, {**self._tokens, _digest(token): name})
        return token

    def remove(self, name: str) -> None:
        """Take out `name` with its password and its tokens.

        Raises:
            SettingsError: there is no such name, or the file cannot be written.
        """
        self._must_know(name)
        self._write(
            {other: key for other, key in self._passwords.items() if other != name},
            {token: owner for token, owner in self._tokens.items() if owner != name},
        )

    def _must_know(self, name: str) -> None:
        if name not in self.names():
            raise SettingsError(f"There is no {name!r} in {str(self._path)!r}.", "Run: footnote auth add NAME")

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._passwords, self._tokens = _parsed(self._path.read_text("utf-8"), self._path)
                self._stamp = stamp
        except FileNotFoundError:
            self._passwords, self._tokens, self._stamp = {}, {}, None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{str(self._path)!r} cannot be read: {error}.", "Give a file of footnote auth."
            ) from error

    def _write(self, passwords: dict[str, str], tokens: dict[str, str]) -> None:
        lines = [f"{name}:{key}" for name, key in passwords.items()]
        lines += [f"{name}:sha256${token}" for token, name in tokens.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)  # readable by us alone
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
            Path(temporary).replace(self._path)
        except OSError as error:
            raise SettingsError(
                f"{str(self._path)!r} cannot be written: {error.strerror}.", "Give another --file."
            ) from error
        self._stamp = None


def _parsed(text: str, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    passwords, tokens = {}, {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise SettingsError(f"Line {number} of {str(path)!r} is not an account.", "Write it with footnote auth.")
        name, key = found.groups()
        if key.startswith("scrypt$"):
            passwords[name] = key
        else:
            tokens[key.removeprefix("sha256$")] = name
    return passwords, tokens


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_key(password, salt, _N, _R, _P).hex()}"


def _fits(password: str, known: str) -> bool:
    _, n, r, p, salt, key = known.split("$")
    return secrets.compare_digest(_key(password, bytes.fromhex(salt), int(n), int(r), int(p)), bytes.fromhex(key))


_NOBODY = f"scrypt${_N}${_R}${_P}${'00' * 16}${'00' * 32}"


def default_file() -> Path:
    """Where accounts are kept if no file is named."""
    return Settings().home / "accounts"


def main(arguments: Sequence[str] | None = None) -> int:
    """`footnote auth`: list, add, remove, or make a token; returns the exit code."""
    parser = argparse.ArgumentParser(prog="footnote auth", description="Say who may sign in to footnote chat --auth.")
    parser.add_argument("action", choices=["list", "add", "remove", "token"])
    parser.add_argument("name", nargs="?", help="whom; list takes none")
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="where accounts are kept (default: beside the indexes)"
    )
    options = parser.parse_args(arguments)
    if (options.name is None) != (options.action == "list"):
        parser.error("list takes no name" if options.name else f"{options.action} needs a name")
    return run_safely(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    path = options.file or default_file()
    accounts = Accounts(path)
    if options.action == "list":
        _say("\n".join(accounts.names()) or f"{path} names nobody.")
    elif options.action == "add":
        accounts.add(options.name, _asked_password())
        _say(f"{options.name} may sign in: footnote chat --auth {shlex.quote(str(path))}")
    elif options.action == "remove":
        accounts.remove(options.name)
        _say(f"{options.name} may not sign in any more.")
    else:
        _say(accounts.new_token(options.name))
    return 0


def _asked_password() -> str:
    """Asked twice at a terminal; otherwise the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise SettingsError("The two passwords differ.", "Run the command again.")
    return password


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
