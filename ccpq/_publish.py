"""Publishing: a file appears under its name whole and synced, or not at all.

The bytes go into a file without a name (O_TMPFILE) in the target's own directory, and the name is made by one linkat at
the end: a killed process leaves nothing, and an existing file is never replaced by accident, because linkat refuses a
name that is taken. Where the file system has no O_TMPFILE, or /proc is not mounted, a hidden name beside the target
takes its place. Everything after the open is relative to the directory's descriptor, so a renamed parent changes
nothing.

Which directory is for spilling is decided here too: spilling into a tmpfs would be memory by another name.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable
from typing import NoReturn

__all__ = ["Target", "check_name", "open_target", "spill_dir_for"]

log = logging.getLogger("ccpq.publish")

DURABILITIES = ("full", "file", "none")
APPEND_ADVICE = "Parquet files are not appended to: write a second file beside it"

# How a file system, or a kernel that does not know the flag, says that it has no O_TMPFILE.
_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.ENOSYS}
# How a file system says that a directory cannot be synced; some network file systems do it by themselves.
_NO_DIR_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_MEMORY_FS = {"tmpfs", "ramfs", "devtmpfs"}


def _fail(code: int, path: str, message: str | None = None) -> NoReturn:
    """OSError of the subclass for `code`, naming `path`."""
    raise OSError(code, message or os.strerror(code), path)


class _Op:
    """Gives an OSError of the block the full path: calls relative to a descriptor name only the last part."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, tb) -> None:
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, self.path) from error


class Target:
    """A file being written, not yet visible. ``publish`` or ``abort`` ends it; a second end does nothing.

    ``fd`` is open for reading and writing, ``name`` is the path it will have, ``spill_dir`` is where temporary files
    belong. After a fork the child's copy does nothing.
    """

    def __init__(self, name: str, base: str, dir_fd: int, fd: int, temp: str | None, overwrite: bool, durability: str,
                 made: list[str]):
        self.name = name
        self.fd = fd
        self.published = False
        self._base = base
        self._dir_fd = dir_fd
        self._temp = temp  # hidden name in the directory; None: the file has no name yet
        self._overwrite = overwrite
        self._durability = durability
        self._made = made  # directories that open_target made, outermost first
        self._owner = os.getpid()

    @property
    def spill_dir(self) -> str:
        return spill_dir_for(self.name, None)

    @property
    def closed(self) -> bool:
        return self.fd < 0

    def publish(self) -> None:
        """Syncs the file, gives it its name, syncs the directory.

        FileExistsError if the name was taken meanwhile. After any error the file is gone, except where syncing the
        directory failed: then it has its name, and the message says so.
        """
        if self.fd < 0:
            if self.published:
                return
            raise RuntimeError(f"{self.name}: the target was aborted")
        if os.getpid() != self._owner:
            raise RuntimeError(f"{self.name}: this process is a fork; only the process that opened the target publishes")
        try:
            if self._durability != "none":
                with _Op(self.name):
                    os.fsync(self.fd)
            if self._overwrite:
                self._replace()
            else:
                self._link()
            self.published = True
            if self._durability == "full":
                self._sync_directories()
        finally:
            self._close()
        log.info("published %s", self.name)

    def abort(self) -> None:
        """Leaves nothing behind. Directories made on the way stay: another process may be using them by now."""
        if self.fd >= 0:
            self._close()

    def _link(self) -> None:
        try:
            with _Op(self.name):
                if self._temp is None:
                    # follow_symlinks with a dir_fd is linkat(AT_SYMLINK_FOLLOW): the link in /proc leads to the file.
                    os.link(f"/proc/self/fd/{self.fd}", self._base, dst_dir_fd=self._dir_fd, follow_symlinks=True)
                else:
                    os.link(self._temp, self._base, src_dir_fd=self._dir_fd, dst_dir_fd=self._dir_fd)
        except FileExistsError:
            _fail(errno.EEXIST, self.name, f"was made by somebody else meanwhile. {APPEND_ADVICE}")
        except FileNotFoundError:
            _fail(errno.ENOENT, self.name, "its directory was removed meanwhile")
        except OSError as e:
            if e.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS) and self._temp is not None:
                _fail(e.errno, self.name,
                      "this file system has no hard links, which are what makes a new name safely; "
                      "use overwrite=True (rename) if nobody else writes here")
            raise

    def _replace(self) -> None:
        with _Op(self.name):
            if self._temp is None:
                # The hidden name is only for replacing a file: a kill between its two calls would leave it behind.
                try:
                    os.link(f"/proc/self/fd/{self.fd}", self._base, dst_dir_fd=self._dir_fd, follow_symlinks=True)
                    return
                except FileExistsError:
                    temp = _temp_name()
                os.link(f"/proc/self/fd/{self.fd}", temp, dst_dir_fd=self._dir_fd, follow_symlinks=True)
                self._temp = temp
            os.replace(self._temp, self._base, src_dir_fd=self._dir_fd, dst_dir_fd=self._dir_fd)
            self._temp = None

    def _sync_directories(self) -> None:
        try:
            _sync_dir(self._dir_fd)
            # A directory made here is an entry of its parent, which has to be durable as well.
            for path in self._made:
                fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    _sync_dir(fd)
                finally:
                    os.close(fd)
        except OSError as e:
            _fail(e.errno or errno.EIO, self.name,
                  f"the file is complete and has its name, but its directory could not be synced ({e.strerror}): "
                  "a power cut may still take the name away")

    def _close(self) -> None:
        fd, dir_fd, temp = self.fd, self._dir_fd, self._temp
        self.fd = self._dir_fd = -1
        self._temp = None
        try:
            if temp is not None and os.getpid() == self._owner:
                try:
                    os.unlink(temp, dir_fd=dir_fd)
                except FileNotFoundError:
                    pass  # the directory went away with everything in it
        finally:
            # Errors of the data were reported by fsync; with durability "none" nobody asked for them.
            os.close(fd)
            os.close(dir_fd)

    def __enter__(self) -> Target:
        return self

    def __exit__(self, kind, error, tb) -> None:
        self.abort()

    def __del__(self) -> None:
        if getattr(self, "fd", -1) >= 0:
            self.abort()

    def __repr__(self) -> str:
        state = "published" if self.published else "aborted" if self.fd < 0 else "open"
        return f"<ccpq.Target {self.name!r} {state}>"


def _sync_dir(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in _NO_DIR_SYNC:
            raise
        log.debug("this file system does not sync directories (%s)", e.strerror)


def _temp_name() -> str:
    # Not derived from the target's name: that may already be as long as names can be.
    return f".ccpq-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def _make_directories(path: str) -> list[str]:
    """Makes `path` and its parents; the ones that were made, outermost first."""
    missing: list[str] = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path.rstrip("/"))
    made = []
    for directory in reversed(missing):
        try:
            os.mkdir(directory)
        except FileExistsError:
            if not os.path.isdir(directory):
                _fail(errno.ENOTDIR, directory, "is in the way: not a directory")
            continue
        made.append(directory)
    return made


def _open_unnamed(dir_fd: int, directory: str) -> int | None:
    """A file without a name, or None where that cannot be had or could not be given a name later."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666, dir_fd=dir_fd)
    except OSError as e:
        if e.errno not in _NO_TMPFILE:
            raise OSError(e.errno, e.strerror, directory) from e
        if e.errno == errno.ENOENT and os.fstat(dir_fd).st_nlink == 0:
            _fail(errno.ENOENT, directory, "was removed")
        log.debug("%s has no O_TMPFILE (%s): a hidden name is used until the file is complete", directory, e.strerror)
        return None


def _check_free(path: str, base: str, dir_fd: int, overwrite: bool) -> None:
    with _Op(path):
        try:
            st = os.stat(base, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            return
    if stat.S_ISDIR(st.st_mode):
        _fail(errno.EISDIR, path, "is a directory; give the name of a file")
    if stat.S_ISLNK(st.st_mode):
        # Writing to where a dangling link leads would make a file in a place nobody named.
        _fail(errno.EEXIST, path, f"is a symbolic link that leads nowhere ({os.readlink(base, dir_fd=dir_fd)!r}); remove it first"
              if not os.path.exists(path) else f"exists, as a symbolic link. {APPEND_ADVICE}, or give overwrite=True")
    if not stat.S_ISREG(st.st_mode):
        _fail(errno.EEXIST, path, "exists and is not a regular file; use a binary file object to write to devices and pipes")
    if not overwrite:
        _fail(errno.EEXIST, path, f"exists. {APPEND_ADVICE}, or replace it with overwrite=True")


def check_name(name: str) -> None:
    """ValueError for what can be no path of a file, before anything is done with it."""
    if _SCHEME.match(name):
        raise ValueError(f"{name!r} is a URL: open it with its own library and give the writer a binary file object "
                         "or a sink (write, finish, abort)")
    if "\0" in name:
        raise ValueError(f"the path {name!r} holds a NUL character")


def open_target(path: str | bytes | os.PathLike, *, overwrite: bool = False, mkdir: bool = False,
                durability: str = "full", _unnamed: Callable[[int, str], int | None] = _open_unnamed) -> Target:
    """Opens a file that will be published under `path`.

    The name is checked now and again when it is made. ``overwrite=True`` replaces an existing file in one step, through
    a live symbolic link too. ``mkdir=True`` makes missing parent directories. ``durability``: "full" syncs file and
    directory, "file" the file only, "none" nothing. OSError with the path's name where the place is not usable.
    """
    if durability not in DURABILITIES:
        raise ValueError(f"durability is one of {', '.join(map(repr, DURABILITIES))}, not {durability!r}")
    name = os.fsdecode(os.fspath(path))
    check_name(name)
    directory, base = os.path.split(name)
    if base in ("", ".", ".."):
        if not name:
            _fail(errno.ENOENT, name, "the path is empty")
        _fail(errno.EISDIR, name, "is a directory; give the name of a file")
    if overwrite and os.path.islink(name) and os.path.exists(name):
        directory, base = os.path.split(os.path.realpath(name))
    directory = directory or "."
    if os.path.expanduser(directory) != directory and not os.path.exists(directory):
        _fail(errno.ENOENT, directory, "no such directory; '~' is no home directory here: write os.path.expanduser(path)")
    made = _make_directories(directory) if mkdir else []
    try:
        dir_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        _fail(errno.ENOENT, directory, "no such directory (mkdir=True makes it)")
    fd, temp = None, None
    try:
        _check_free(name, base, dir_fd, overwrite)
        fd = _unnamed(dir_fd, directory)
        if fd is None:
            temp = _temp_name()
            with _Op(directory):
                fd = os.open(temp, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666, dir_fd=dir_fd)
        return Target(name, base, dir_fd, fd, temp, overwrite, durability, made)
    except BaseException:
        if fd is not None:
            os.close(fd)
            if temp is not None:
                os.unlink(temp, dir_fd=dir_fd)
        os.close(dir_fd)
        raise


def _memory_devices() -> set[int]:
    """Device numbers of all file systems that are memory."""
    found = set()
    try:
        with open("/proc/self/mountinfo", "rb") as f:
            for line in f:
                # "36 35 98:0 /mnt1 /mnt2 rw master:1 - ext3 /dev/root rw": the number of fields before "-" varies.
                before, _, after = line.partition(b" - ")
                if after.split(b" ", 1)[0].decode("ascii", "replace") in _MEMORY_FS:
                    major, minor = before.split(b" ")[2].split(b":")
                    found.add(os.makedev(int(major), int(minor)))
    except OSError as e:
        log.debug("cannot tell which file systems are memory: %s", e)
    return found


def _is_memory(path: str) -> bool:
    return os.stat(path).st_dev in _memory_devices()


_warned: set[str] = set()


def spill_dir_for(path: str | os.PathLike | None, override: str | os.PathLike | None) -> str:
    """The directory for temporary files of a writer to `path` (None: a sink or file object, whose place is unknown).

    `override` if given; else the target's directory; /var/tmp where that is memory (a tmpfs) or unknown. If that is
    memory as well, one WARNING per process says so: the memory limit then holds for the writer, not for the machine.
    """
    if override is not None:
        if not isinstance(override, (str, bytes, os.PathLike)):
            raise TypeError(f"spill_dir is a path or None, not {type(override).__name__}")
        chosen = os.fsdecode(os.fspath(override))
        if not os.path.isdir(chosen):
            exists = os.path.exists(chosen)
            _fail(errno.ENOTDIR if exists else errno.ENOENT, chosen, "spill_dir is not a directory" if exists
                  else "spill_dir does not exist")
        return chosen
    beside = None if path is None else (os.path.dirname(os.fsdecode(os.fspath(path))) or ".")
    if beside is not None and not _is_memory(beside):
        return beside
    if os.path.isdir("/var/tmp") and os.access("/var/tmp", os.W_OK):
        if not _is_memory("/var/tmp"):
            return "/var/tmp"
        chosen = "/var/tmp"
    else:
        chosen = beside or os.getcwd()
    if _is_memory(chosen) and chosen not in _warned:
        _warned.add(chosen)
        log.warning("temporary files go to %s, which is memory (tmpfs): give spill_dir= on a disk", chosen)
    return chosen
