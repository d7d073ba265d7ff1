"""Writing a folder of files safely: all or nothing, and never over a file that is not ours.

The files are written in full into a hidden folder beside the directory, which then takes its place in one step: it is
renamed where there was no directory, and exchanged with one that holds nothing but an earlier report. At every moment
a reader, and a run that is killed, sees one whole report.

That cannot be where the directory holds other files, is a link, a mount point or the working directory, or where the
system cannot exchange two directories. Then the files are moved one by one. What they replace is kept until all are
moved; a journal says so, and what a killed run did by it is undone by the next one.

``manifest.json`` lists what a run wrote; only files that it lists are ever replaced or removed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.report.staging import JOURNAL, KEPT, exchange, held, left_behind, remove, staging

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
    _refuse_file(directory)
    with _named(directory), _made(directory.parent):
        _recover(directory)
        _refuse_foreign(directory, names)
        beside = not os.path.lexists(directory) or _is_replaceable(directory)
        with staging(directory.parent if beside else directory, _is_ours) as folder:
            more = write(folder) or ()
            _refuse_unknown(more)
            names = [*more, *names]
            _refuse_foreign(directory, names)
            for path in folder.iterdir():
                if path.name not in names:
                    path.unlink()
            _publish(directory, folder, names)


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
    _refuse_file(directory)
    with _named(directory), _made(directory):
        _recover(directory)
        _refuse_foreign(directory, names)
        with staging(directory, _is_ours):
            pass


def _refuse_unknown(names: Sequence[str]) -> None:
    unknown = [name for name in names if not _OURS.fullmatch(name)]
    if unknown:
        raise ValueError(f"names={unknown[:1]!r}: not the name of a report file; extend _OURS")


def _is_ours(name: str) -> bool:
    return name == MANIFEST or _OURS.fullmatch(name) is not None


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
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for path in missing:
                path.rmdir()
        raise


def _earlier_files(directory: Path) -> list[str] | None:
    """Read which files an earlier run wrote; None if there is no manifest that a run can have written."""
    content = _read(directory / MANIFEST)
    files = content.get("files")
    if content.get("generator") != _GENERATOR or not _are_names(files, of=_OURS.fullmatch):
        return None
    return files


def _read(path: Path) -> dict[str, object]:
    """Read a JSON object; empty if there is none."""
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _are_names(names: object, *, of: Callable[[str], object]) -> TypeGuard[list[str]]:
    return isinstance(names, list) and all(isinstance(name, str) and of(name) for name in names)


def _refuse_file(directory: Path) -> None:
    if os.path.lexists(directory) and not directory.is_dir():
        raise DiffcompareError(f"directory={str(directory)!r}: is a file; choose a directory")


def _refuse_foreign(directory: Path, names: Sequence[str]) -> None:
    earlier = _earlier_files(directory)
    for name in [*names, MANIFEST] if earlier is None else names:
        path = directory / name
        if os.path.lexists(path) and (name not in (earlier or ()) or path.is_symlink() or not path.is_file()):
            raise DiffcompareError(
                f"directory={shorten(str(directory))!r}: {name} is there already and was not written by an earlier "
                "report; nothing was written, move it away or choose another directory"
            )


def _is_replaceable(directory: Path) -> bool:
    """Tell whether a directory is nothing but an earlier report, and has a name that another one can take."""
    if directory.name in ("", "..") or directory.is_symlink() or directory.is_mount() or directory.samefile(Path()):
        return False
    return all(os.access(path, os.W_OK | os.X_OK) for path in (directory, directory.parent)) and _is_report(directory)


def _is_report(directory: Path) -> bool:
    """Tell whether nothing is in a directory but what an earlier run listed; or nothing at all."""
    earlier = _earlier_files(directory)
    known = set() if earlier is None else {*earlier, MANIFEST}
    return known.issuperset(os.listdir(directory))  # noqa: PTH208


def _recover(directory: Path) -> None:
    """Undo what a run that was killed left half done, and remove its hidden folders."""
    if directory.is_dir():
        with held(directory), left_behind(directory, _is_ours) as folders:
            for folder in folders:
                _undo(directory, folder)
    with left_behind(directory.parent, _is_ours):
        pass


def _publish(directory: Path, folder: Path, names: Sequence[str]) -> None:
    """Put the files of a folder into the directory: in one step if that can be."""
    if folder.parent == directory.parent:
        _write_json(folder / MANIFEST, _manifest(names))
        if not os.path.lexists(directory):
            try:
                folder.rename(directory)
            except OSError:
                # another run was faster, and there is a report to replace
                if not os.path.lexists(directory):
                    raise
            else:
                return
        if _is_replaceable(directory) and _exchanged(directory, folder):
            return
    _refuse_foreign(directory, names)
    inside = directory / folder.name
    if folder != inside:
        folder.rename(inside)
    try:
        with held(directory):
            _move(directory, inside, names)
    finally:
        remove(inside, _is_ours)


def _exchanged(directory: Path, folder: Path) -> bool:
    """Exchange the directory with the folder; False if that cannot be, or would take away more than a report."""
    there, here = directory.stat(), folder.stat()
    if (there.st_uid, there.st_gid) != (here.st_uid, here.st_gid):
        return False
    folder.chmod(stat.S_IMODE(there.st_mode))
    if not exchange(directory, folder):
        return False
    if _is_report(folder):
        return True
    # a file came in meanwhile
    exchange(directory, folder)
    return False


def _move(directory: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files to their places one by one; what is not finished is taken back, now or by the next run.

    The manifest goes first and lists old and new ones until all is done. So at every moment each of our files is
    listed: a run that is cut off never locks out the next one.
    """
    stale = sorted({*(_earlier_files(directory) or ())} - {*names})
    (folder / KEPT).mkdir()
    kept = [name for name in (MANIFEST, *names, *stale) if _is_plain_file(directory / name)]
    for name in kept:
        _keep(directory / name, folder / KEPT / name)
    # one that is cut off is not read: nothing was moved then
    _write_json(folder / JOURNAL, {"kept": kept, "moved": list(names)})
    try:
        _write_json(folder / MANIFEST, _manifest([*names, *stale]))
        for name in (MANIFEST, *names):
            os.replace(folder / name, directory / name)  # noqa: PTH105 (the one call that puts a file in place)
        for name in stale:
            if name in kept:
                (directory / name).unlink()
        if stale:
            _write_json(folder / MANIFEST, _manifest(names))
            os.replace(folder / MANIFEST, directory / MANIFEST)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            _undo(directory, folder)
        raise
    (folder / JOURNAL).unlink()


def _undo(directory: Path, folder: Path) -> None:
    """Take back what the journal of a folder says was moved. What is undone already is left alone."""
    journal = _read(folder / JOURNAL)
    kept, moved, listed = journal.get("kept"), journal.get("moved"), _earlier_files(directory)
    if _are_names(kept, of=_is_ours) and _are_names(moved, of=_is_ours) and listed is not None:
        # the manifest comes back last
        for name in [*(name for name in kept if name not in moved and name != MANIFEST), *reversed(moved), MANIFEST]:
            if name in kept:
                with suppress(FileNotFoundError):
                    os.replace(folder / KEPT / name, directory / name)  # noqa: PTH105
            elif name in (*listed, MANIFEST) and _is_plain_file(directory / name):
                (directory / name).unlink()
    (folder / JOURNAL).unlink(missing_ok=True)


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _manifest(names: Sequence[str]) -> dict[str, object]:
    return {"generator": _GENERATOR, "files": sorted(names)}


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def _keep(path: Path, copy: Path) -> None:
    """Keep the old file under a second name."""
    try:
        os.link(path, copy)
    except OSError:  # a file system without hard links
        shutil.copy2(path, copy)
