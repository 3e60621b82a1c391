"""Files that only their owner can read, and that are replaced as a whole, and their directories."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_private_file(path: Path, content: str) -> None:
    """Write the file, readable for its owner only. If that fails, the file is as before and no other is left.

    The content is on the disk before it replaces the previous one, so that a crash does not lose both.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def create_private_directory(path: Path) -> None:
    """Create the directory and its missing parents, readable for their owner only. Existing ones stay.

    Raises:
        OSError: it cannot be created.
    """
    missing = [each for each in path.parents if not each.exists()]
    for directory in (*reversed(missing), path):
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
        except FileNotFoundError:  # The parent exists, but takes no directories, such as /proc.
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(directory)) from None
