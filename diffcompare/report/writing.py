"""Writing a folder of files safely: all or nothing, and never over a file that is not ours.

The files are written in full into a hidden folder inside the directory (so it is the same file system) and
then moved one by one. ``manifest.json`` lists what a run wrote; only files that it lists are ever replaced or
removed. If a move fails, those already made are taken back.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from diffcompare.errors import DiffcompareError, shorten

__all__ = ["MANIFEST", "check_directory", "write_files"]

MANIFEST = "manifest.json"
_GENERATOR = "diffcompare"
# Names that a report can have. A manifest is a file like any other and may be forged: whatever it says,
# nothing but a file of such a name, directly in the directory, is touched.
_OURS = re.compile(
    r"index\.html|(function|comparison)-[0-9]{3,9}(-[0-9]{1,9})?\.html"
    r"|(errors|summary|functions|descent|curves|hot_spots|rules|surfaces|components|comparisons|ranking|scores)"
    r"\.(csv|parquet)"
)


def write_files(directory: Path, names: Sequence[str], write: Callable[[Path], Sequence[str] | None]) -> None:
    """Write files into a directory: all of them, or none.

    Parameters
    ----------
    directory : Path
        Made if it is missing.
    names : sequence of str
        The files that are known beforehand, in the order in which they are moved to their places: the entry page last.
    write : callable
        Is given a folder and writes all of these files into it. Names that it returns are more files of the report,
        which are moved before those.

    Raises
    ------
    DiffcompareError
        A file of that name exists that no earlier run wrote, or the directory cannot be written.
    """
    _refuse_unknown(names)
    with _named(directory), _made(directory):
        earlier = _earlier_files(directory)
        _refuse_foreign(directory, [*names, MANIFEST] if earlier is None else names, earlier or ())
        with _staging(directory) as staging:
            more = write(staging) or ()
            _refuse_unknown(more)
            _refuse_foreign(directory, more, earlier or ())
            names = [*more, *names]
            _publish(directory, staging, names, set(earlier or ()) - set(names))


def _refuse_unknown(names: Sequence[str]) -> None:
    unknown = [name for name in names if not _OURS.fullmatch(name)]
    if unknown:
        raise ValueError(f"names={unknown[:1]!r}: not the name of a report file; extend _OURS")


def check_directory(directory: Path, names: Sequence[str]) -> None:
    """Refuse now what :func:`write_files` would refuse later: for reports that are written at the end of long work.

    The directory is made if it is missing, and stays.

    Parameters
    ----------
    directory : Path
        Where files are to go.
    names : sequence of str
        Those that are known already.

    Raises
    ------
    DiffcompareError
        As :func:`write_files`.
    """
    with _named(directory), _made(directory):
        earlier = _earlier_files(directory)
        _refuse_foreign(directory, [*names, MANIFEST] if earlier is None else names, earlier or ())
        with _staging(directory):
            pass


@contextmanager
def _named(directory: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one line that names the directory."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DiffcompareError(
            f"directory={str(directory)!r}: cannot be written ({reason}); choose a directory that can be"
        ) from error


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """Make the directory; take it away again if nothing came to stand in it."""
    if directory.exists() and not directory.is_dir():
        raise DiffcompareError(f"directory={str(directory)!r}: is a file; choose a directory")
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for path in missing:
                path.rmdir()
        raise


@contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".diffcompare-", dir=directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _earlier_files(directory: Path) -> list[str] | None:
    """Read which files an earlier run wrote; None if there is no manifest that a run can have written."""
    path = directory / MANIFEST
    if path.is_symlink() or not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("generator") != _GENERATOR:
        return None
    files = content.get("files")
    if not isinstance(files, list) or not all(isinstance(name, str) and _OURS.fullmatch(name) for name in files):
        return None
    return files


def _refuse_foreign(directory: Path, names: Sequence[str], earlier: Collection[str]) -> None:
    for name in names:
        path = directory / name
        if os.path.lexists(path) and (name not in earlier or path.is_symlink() or not path.is_file()):
            raise DiffcompareError(
                f"directory={shorten(str(directory))!r}: {name} is there already and was not written by an earlier "
                "report; nothing was written, move it away or choose another directory"
            )


def _publish(directory: Path, staging: Path, names: Sequence[str], stale: Collection[str]) -> None:
    """Move the files to their places; the manifest goes first and lists old and new ones until all is done.

    So at every moment each of our files is listed: a run that is cut off never locks out the next one.
    """
    fresh, kept = staging / "fresh", staging / "kept"
    for folder in (fresh, kept):
        folder.mkdir()
    done: dict[str, None] = {}  # a set that knows its order
    try:
        for listed, moved in ((sorted({*names, *stale}), names), (sorted(names), ())):
            _write_manifest(fresh / MANIFEST, listed)
            for name in (MANIFEST, *moved):
                _keep(directory / name, kept / name, done)
                source = fresh / name if name == MANIFEST else staging / name
                os.replace(source, directory / name)  # noqa: PTH105 (the one call that puts a file in place)
            if not stale:
                return
            if moved:
                for name in sorted(stale):
                    if (directory / name).is_file() and not (directory / name).is_symlink():
                        _keep(directory / name, kept / name, done)
                        (directory / name).unlink()
    except BaseException:
        _take_back(directory, kept, list(done))
        raise


def _write_manifest(path: Path, names: Sequence[str]) -> None:
    content = {"generator": _GENERATOR, "files": list(names)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def _keep(path: Path, copy: Path, done: dict[str, None]) -> None:
    """Keep the old file under a second name, once: the first copy is the one to go back to."""
    if path.name not in done and path.exists():
        try:
            os.link(path, copy)
        except OSError:  # a file system without hard links
            shutil.copy2(path, copy)
    done[path.name] = None


def _take_back(directory: Path, kept: Path, done: Sequence[str]) -> None:
    for name in reversed(done):
        with suppress(OSError):
            if (kept / name).exists():
                os.replace(kept / name, directory / name)  # noqa: PTH105
            else:
                (directory / name).unlink(missing_ok=True)
