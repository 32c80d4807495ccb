"""The command ``ccpq``. Tables for people on stdout, ``--json`` for programs, progress on stderr only on a terminal.

Exit codes: 0 all is well, 1 failed, 2 wrong usage, 4 done but some inputs could not be archived (each is named on
stderr), 130 interrupted. Policy lives in the library; here is only how it is asked for and shown.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import sys
from typing import NoReturn

try:
    import click
except ImportError:
    sys.exit("ccpq: the command line needs click; install python3-click (apt) or click (pip)")

import ccpq
from ccpq._archive import archive_checkpoints
from ccpq._archive_report import not_archived
from ccpq._demo import write_tree
from ccpq._errors import BudgetError, Error, UnsupportedError
from ccpq._sizes import format_bytes, format_count, parse_duration, parse_size

__all__ = ["main"]

EXIT_FAILED, EXIT_USAGE, EXIT_INPUTS, EXIT_INTERRUPTED = 1, 2, 4, 130


class _Parsed(click.ParamType):
    """A text that one of the library's functions reads; its ValueError is a usage error."""

    def __init__(self, name: str, parse):
        self.name = name
        self._parse = parse

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)


def _parse_cutoff(text: str) -> int | datetime.datetime:
    if text.isdecimal() and text.isascii():
        return int(text)
    try:
        at = datetime.datetime.fromisoformat(text.removesuffix("Z") + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise ValueError(f"{text!r}: unix seconds, or a time such as 2026-05-01T00:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write {text}Z for UTC")
    return at


def _parse_names(text: str) -> list[str]:
    names = [n for n in (part.strip() for part in text.split(",")) if n]
    if not names or any("/" in n or n in (".", "..") for n in names) or len(set(names)) < len(names):
        raise ValueError(f"{text!r}: names of clusters, separated by commas, each once")
    return names


DURATION = _Parsed("duration", parse_duration)
SIZE = _Parsed("size", parse_size)
TIME = _Parsed("time", _parse_cutoff)
NAMES = _Parsed("names", _parse_names)


class _Lines(logging.Handler):
    """Warnings as lines on stderr, above a progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        try:
            from tqdm import tqdm
        except ImportError:
            click.echo(text, err=True)
        else:
            tqdm.write(text, file=sys.stderr)


def _drop_stdout() -> None:
    """What is still buffered for stdout goes nowhere: the interpreter's end would fail on it again."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _show(text: str) -> None:
    """The report of work that is done: where it cannot be printed the work still counts, and so does its exit code."""
    try:
        click.echo(text)
    except OSError as e:
        _drop_stdout()
        if not isinstance(e, BrokenPipeError):
            click.echo(f"ccpq: the work is done, but its report could not be printed: {e.strerror or e}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ccpq.__version__, "--version", prog_name="ccpq", message="%(prog)s %(version)s")
def cli() -> None:
    """Parquet archives of job metrics, in a fixed amount of memory."""


@cli.command(short_help="Archive checkpoints that are due.")
@click.argument("src", type=click.Path(exists=True, file_okay=False))
@click.argument("dst", type=click.Path(file_okay=False))
@click.option("--older-than", type=DURATION, metavar="48h", help="Archive checkpoints that began at least this long ago.")
@click.option("--cutoff", type=TIME, metavar="TIME", help="Archive checkpoints up to this time: unix seconds or 2026-05-01T00:00:00Z.")
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this cluster; may be given again.  [default: all]")
@click.option("--memory-limit", type=SIZE, default="32MiB", show_default=True, metavar="SIZE", help="Memory of the job, all in all.")
@click.option("--compression", default="zstd", show_default=True, metavar="CODEC", help="zstd, snappy or none.")
@click.option("--compression-level", type=int, metavar="N", help="The codec's level.  [default: the codec's own]")
@click.option("--row-group", type=click.Choice(["auto", "host"]), default="auto", show_default=True,
              help="Cut row groups at host boundaries behind 524,288 rows, or one per host.")
@click.option("--durability", type=click.Choice(["full", "file", "none"]), default="full", show_default=True,
              help="What is synced before a file counts.")
@click.option("--spill-dir", type=click.Path(exists=True, file_okay=False), help="Temporary files.  [default: beside the archive]")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout.")
@click.option("--quiet", is_flag=True, help="No report and no progress, only what could not be archived.")
def archive(src, dst, older_than, cutoff, clusters, memory_limit, compression, compression_level, row_group, durability,
            spill_dir, as_json, quiet) -> int:
    """Archive the checkpoints in SRC that are due into DST/<cluster>/<cutoff>.parquet.

    Exactly one of --older-than and --cutoff is needed. Sources are never deleted or changed; what an earlier archive in
    DST lists is skipped. Exit code 4: done, but some inputs could not be archived; stderr names each.
    """
    if (older_than is None) == (cutoff is None):
        raise click.UsageError("give exactly one of --older-than (such as 48h) and --cutoff")
    options = {} if spill_dir is None else {"spill_dir": spill_dir}
    try:
        report = archive_checkpoints(
            src, dst, older_than=older_than, cutoff=cutoff, clusters=list(clusters) or None, memory_limit=memory_limit,
            row_group=row_group, compression=compression, compression_level=compression_level, durability=durability,
            progress=False if quiet else True if sys.stderr.isatty() else None, **options,
        )  # fmt: skip
    except (ValueError, UnsupportedError, BudgetError) as e:
        raise click.UsageError(str(e)) from e
    if as_json or not quiet:
        _show(json.dumps(report.to_dict()) if as_json else str(report))
    if report.ok:
        return 0
    click.echo(f"ccpq: {not_archived(report.error_count)}, see above; the next run tries again", err=True)
    return EXIT_INPUTS


@cli.command("demo-data", short_help="Write a tree of demo checkpoints.")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--hosts", type=click.IntRange(1), default=4, show_default=True, help="Hosts per cluster.")
@click.option("--clusters", type=NAMES, default="alex,fritz", show_default=True, metavar="NAMES",
              help="Names of clusters; alex has accelerators, any other the nodes of fritz.")
@click.option("--files", type=click.IntRange(1), default=2, show_default=True, help="Checkpoints per host.")
@click.option("--samples", type=click.IntRange(1), default=720, show_default=True, help="Samples per series and file, one a minute.")
@click.option("--format", "kind", type=click.Choice(["json", "bin", "both"]), default="bin", show_default=True,
              help="Format of the checkpoints; both: the older half as JSON.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="What was written as JSON on stdout.")
@click.option("--quiet", is_flag=True, help="No report and no progress.")
def demo_data(directory, hosts, clusters, files, samples, kind, seed, as_json, quiet) -> int:
    """Write a tree of demo checkpoints, shaped like a production cluster's, into DIR."""
    made = write_tree(directory, hosts=hosts, clusters=clusters, files=files, samples=samples, format=kind, seed=seed,
                      progress=True if sys.stderr.isatty() and not quiet else None)
    if as_json:
        _show(json.dumps(made._asdict()))
    elif not quiet:
        _show(f"{directory}: {format_count(made.hosts)} hosts, {format_count(made.files)} files, {format_bytes(made.bytes)}, "
              f"{format_count(made.series)} series, {format_count(made.samples)} samples")
    return 0


def run(args: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    lines = _Lines(logging.WARNING)
    log = logging.getLogger("ccpq")
    log.addHandler(lines)
    try:
        # Not standalone: click would turn every error into its own exit code and text.
        code = cli.main(args, prog_name="ccpq", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as e:
        e.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("ccpq: interrupted; what was not finished is not published", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as e:
        e.show()
        return EXIT_FAILED
    except OSError as e:
        if isinstance(e, BrokenPipeError) and e.filename is None:
            _drop_stdout()  # whoever read our output has gone: nothing can be said any more
            return EXIT_FAILED
        where = f"{e.filename}: " if e.filename is not None else ""
        click.echo(f"ccpq: {where}{e.strerror or e}", err=True)
        return EXIT_FAILED
    except Error as e:
        click.echo(f"ccpq: {e}", err=True)
        return EXIT_FAILED
    finally:
        log.removeHandler(lines)


def main(args: list[str] | None = None) -> NoReturn:
    """Entry point of the console script."""
    sys.exit(run(args))
