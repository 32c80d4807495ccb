"""Publishing: under its name whole or not at all, never over an existing file, nothing left behind; spill directories.

Every rule is tried on both routes: the file without a name (O_TMPFILE) and the hidden name beside the target.
"""

import errno
import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from ccpq import _publish
from ccpq._publish import open_target, spill_dir_for


@pytest.fixture(params=["unnamed", "hidden name"])
def opened(request):
    """open_target on one of the two routes."""
    if request.param == "unnamed":
        if not hasattr(os, "O_TMPFILE"):
            pytest.skip("no O_TMPFILE")
        return open_target

    def open_hidden(path, **options):
        return open_target(path, _unnamed=lambda dir_fd, directory: None, **options)

    return open_hidden


def write(target, data=b"PAR1"):
    os.write(target.fd, data)
    return target


@pytest.mark.parametrize("durability", ["full", "file", "none"])
def test_a_file_appears_whole_at_publication(tmp_path, opened, durability):
    path = tmp_path / "a.parquet"
    t = write(opened(path, durability=durability))
    assert not path.exists()
    assert t.name == str(path)
    t.publish()
    assert path.read_bytes() == b"PAR1"
    assert os.listdir(tmp_path) == ["a.parquet"]
    assert t.published and t.closed
    t.publish()
    t.abort()
    assert path.read_bytes() == b"PAR1"


def test_mode_follows_the_umask(tmp_path, opened):
    old = os.umask(0o027)
    try:
        opened(tmp_path / "a").publish()
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_abort_leaves_nothing(tmp_path, opened):
    t = write(opened(tmp_path / "a"))
    t.abort()
    t.abort()
    assert os.listdir(tmp_path) == []
    with pytest.raises(RuntimeError, match="aborted"):
        t.publish()


def test_exceptions_and_collection_leave_nothing(tmp_path, opened):
    with pytest.raises(KeyboardInterrupt):
        with write(opened(tmp_path / "a")):
            raise KeyboardInterrupt
    t = write(opened(tmp_path / "b"))
    del t
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_an_existing_file_is_refused_at_open(tmp_path, opened):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="not appended to: write a second file beside it") as e:
        opened(path)
    assert e.value.filename == str(path)
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_made_meanwhile_is_kept(tmp_path, opened):
    path = tmp_path / "a"
    t = write(opened(path))
    path.write_bytes(b"other")
    with pytest.raises(FileExistsError, match="not appended to") as e:
        t.publish()
    assert e.value.filename == str(path)
    assert path.read_bytes() == b"other"
    assert os.listdir(tmp_path) == ["a"]
    assert t.closed and not t.published


def test_overwrite_replaces_in_one_step(tmp_path, opened):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    t = write(opened(path, overwrite=True), b"new")
    assert path.read_bytes() == b"old"
    t.publish()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]
    write(opened(tmp_path / "fresh", overwrite=True), b"x").publish()
    assert (tmp_path / "fresh").read_bytes() == b"x"


def test_overwrite_goes_through_a_live_link(tmp_path, opened):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("d/real")
    write(opened(tmp_path / "link", overwrite=True), b"new").publish()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "d/real").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_dangling_links_are_refused(tmp_path, opened, overwrite):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileExistsError, match="leads nowhere.*'nowhere'"):
        opened(tmp_path / "link", overwrite=overwrite)
    assert os.listdir(tmp_path) == ["link"]


def test_directories_and_devices_are_refused(tmp_path, opened):
    (tmp_path / "d").mkdir()
    for path in (tmp_path / "d", str(tmp_path / "d") + "/", str(tmp_path / "d/.."), "/"):
        with pytest.raises(IsADirectoryError) as e:
            opened(path)
        assert e.value.filename == str(path)
    os.mkfifo(tmp_path / "fifo")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="not a regular file"):
            opened(tmp_path / "fifo", overwrite=overwrite)


def test_names_too_long_and_empty(tmp_path, opened):
    path = tmp_path / ("n" * 300)
    with pytest.raises(OSError) as e:
        opened(path)
    assert e.value.errno == errno.ENAMETOOLONG and e.value.filename == str(path)
    longest = tmp_path / ("n" * 255)
    for overwrite in (False, True):
        write(opened(longest, overwrite=overwrite)).publish()
    with pytest.raises(FileNotFoundError, match="empty"):
        opened("")
    with pytest.raises(ValueError, match="NUL"):
        opened("a\0b")


def test_urls_are_named(opened):
    with pytest.raises(ValueError, match="'s3://bucket/key' is a URL.*sink"):
        opened("s3://bucket/key")


def test_a_missing_directory_is_named_and_made_on_demand(tmp_path, opened):
    path = tmp_path / "x/y/a"
    with pytest.raises(FileNotFoundError, match="mkdir=True") as e:
        opened(path)
    assert e.value.filename == str(tmp_path / "x/y")
    write(opened(path, mkdir=True)).publish()
    assert path.read_bytes() == b"PAR1"
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(NotADirectoryError) as e:
        opened(tmp_path / "f/a")
    assert e.value.filename == str(tmp_path / "f")
    with pytest.raises(NotADirectoryError):
        opened(tmp_path / "f/a", mkdir=True)


def test_a_relative_name_needs_no_directory(tmp_path, monkeypatch, opened):
    monkeypatch.chdir(tmp_path)
    write(opened("a", mkdir=True)).publish()
    write(opened(b"bytes")).publish()
    assert sorted(os.listdir()) == ["a", "bytes"]


def test_a_removed_directory_is_an_error(tmp_path, opened):
    (tmp_path / "d").mkdir()
    t = write(opened(tmp_path / "d/a"))
    for name in os.listdir(tmp_path / "d"):
        os.unlink(tmp_path / "d" / name)
    (tmp_path / "d").rmdir()
    with pytest.raises(FileNotFoundError) as e:
        t.publish()
    assert e.value.filename == str(tmp_path / "d/a")
    assert t.closed


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_an_unwritable_directory_is_named(tmp_path, opened):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError) as e:
        opened(tmp_path / "a")
    assert e.value.filename == str(tmp_path)


def test_a_renamed_directory_keeps_its_file(tmp_path, opened):
    (tmp_path / "d").mkdir()
    t = write(opened(tmp_path / "d/a"))
    (tmp_path / "d").rename(tmp_path / "e")
    t.publish()
    assert os.listdir(tmp_path / "e") == ["a"]


def test_bad_durability(tmp_path):
    with pytest.raises(ValueError, match="'full', 'file', 'none'"):
        open_target(tmp_path / "a", durability="most")


def counted_syncs(monkeypatch, fail=None):
    """Kinds of descriptors that are synced; `fail`: (kind, errno)."""
    seen, real = [], os.fsync

    def fsync(fd):
        kind = "directory" if os.path.isdir(f"/proc/self/fd/{fd}") else "file"
        seen.append(kind)
        if fail and fail[0] == kind:
            raise OSError(fail[1], os.strerror(fail[1]))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


@pytest.mark.parametrize(("durability", "kinds"), [("full", ["file", "directory"]), ("file", ["file"]), ("none", [])])
def test_durability_is_syncs(tmp_path, monkeypatch, opened, durability, kinds):
    seen = counted_syncs(monkeypatch)
    write(opened(tmp_path / "a", durability=durability)).publish()
    assert seen == kinds


def test_made_directories_are_synced_into_their_parents(tmp_path, monkeypatch, opened):
    seen = counted_syncs(monkeypatch)
    write(opened(tmp_path / "x/y/a", mkdir=True)).publish()
    assert seen == ["file", "directory", "directory", "directory"]


def test_a_failed_sync_of_the_file_publishes_nothing(tmp_path, monkeypatch, opened):
    counted_syncs(monkeypatch, ("file", errno.EIO))
    with pytest.raises(OSError) as e:
        write(opened(tmp_path / "a")).publish()
    assert e.value.errno == errno.EIO and e.value.filename == str(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_a_directory_that_cannot_be_synced(tmp_path, monkeypatch, opened):
    with monkeypatch.context() as m:
        counted_syncs(m, ("directory", errno.EINVAL))
        write(opened(tmp_path / "network")).publish()
    counted_syncs(monkeypatch, ("directory", errno.EIO))
    t = write(opened(tmp_path / "a"))
    with pytest.raises(OSError, match="is complete and has its name") as e:
        t.publish()
    assert e.value.errno == errno.EIO
    assert t.published and (tmp_path / "a").exists()


def test_no_hard_links(tmp_path, monkeypatch):
    def link(*args, **options):
        raise OSError(errno.EPERM, "Operation not permitted", "a")

    monkeypatch.setattr(os, "link", link)
    t = write(open_target(tmp_path / "a", _unnamed=lambda *a: None))
    with pytest.raises(OSError, match="no hard links.*overwrite=True"):
        t.publish()
    assert os.listdir(tmp_path) == []
    write(open_target(tmp_path / "a", overwrite=True, _unnamed=lambda *a: None)).publish()
    assert os.listdir(tmp_path) == ["a"]


def test_file_systems_without_unnamed_files(tmp_path, monkeypatch):
    real = os.open

    def refusing(code):
        def open_(path, flags, *args, **options):
            if hasattr(os, "O_TMPFILE") and flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(code, os.strerror(code), path)
            return real(path, flags, *args, **options)

        return open_

    for code in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
        monkeypatch.setattr(os, "open", refusing(code))
        t = write(open_target(tmp_path / f"a{code}"))
        assert len([n for n in os.listdir(tmp_path) if n.startswith(".ccpq-")]) == 1
        t.publish()
    monkeypatch.setattr(os, "open", refusing(errno.ENOSPC))
    with pytest.raises(OSError) as e:
        open_target(tmp_path / "b")
    assert e.value.errno == errno.ENOSPC and e.value.filename == str(tmp_path)
    assert not [n for n in os.listdir(tmp_path) if n.startswith(".")]


def test_a_fork_does_nothing(tmp_path, opened):
    t = write(opened(tmp_path / "a"))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            t.publish()
        except RuntimeError:
            t.abort()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    t.publish()
    assert os.listdir(tmp_path) == ["a"]


def run(code, **options):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, **options)


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="no O_TMPFILE")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_killed_process_leaves_nothing(tmp_path, overwrite):
    done = run(f"""
        import os, signal
        from ccpq._publish import open_target
        t = open_target({str(tmp_path / "a")!r}, overwrite={overwrite})
        os.write(t.fd, b"x" * 100_000)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert os.listdir(tmp_path) == []


def test_no_descriptor_stays_open(tmp_path, opened):
    before = len(os.listdir("/proc/self/fd"))
    for i in range(20):
        write(opened(tmp_path / f"a{i}")).publish()
        write(opened(tmp_path / f"b{i}")).abort()
        with pytest.raises(FileExistsError):
            opened(tmp_path / f"a{i}")
    assert len(os.listdir("/proc/self/fd")) == before


# spill directories

def memory(monkeypatch, *paths):
    monkeypatch.setattr(_publish, "_is_memory", lambda p: os.fspath(p) in map(os.fspath, paths))
    monkeypatch.setattr(_publish, "_warned", set())


def test_spill_goes_beside_the_target(tmp_path, monkeypatch):
    memory(monkeypatch)
    assert spill_dir_for(tmp_path / "a", None) == str(tmp_path)
    assert spill_dir_for("a", None) == "."
    assert spill_dir_for(None, None) == "/var/tmp"


def test_spill_avoids_memory(tmp_path, monkeypatch, caplog):
    memory(monkeypatch, tmp_path)
    assert spill_dir_for(tmp_path / "a", None) == "/var/tmp"
    assert not caplog.records
    memory(monkeypatch, tmp_path, "/var/tmp")
    with caplog.at_level(logging.WARNING, "ccpq"):
        assert spill_dir_for(tmp_path / "a", None) == spill_dir_for(tmp_path / "b", None) == "/var/tmp"
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "spill_dir=" in caplog.text


def test_spill_dir_given(tmp_path):
    assert spill_dir_for("a", tmp_path) == str(tmp_path)
    with pytest.raises(FileNotFoundError, match="spill_dir"):
        spill_dir_for("a", tmp_path / "missing")
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="spill_dir"):
        spill_dir_for("a", tmp_path / "f")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no /dev/shm")
def test_a_real_tmpfs_is_known():
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True).stdout.strip()
    assert _publish._is_memory("/dev/shm") == (kind in ("tmpfs", "ramfs"))
