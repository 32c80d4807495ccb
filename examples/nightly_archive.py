"""An archive job as a script, for a timer or cron: archives what is older than two days and tells what went wrong.

Running it again does no harm: files that an archive lists are skipped, files that could not be read are tried again. The
exit code is 0, or 4 if some inputs could not be archived, or 1 if the destination failed.

    python nightly_archive.py CHECKPOINTS ARCHIVE
"""

import logging
import sys

import ccpq


def main(src: str, dst: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        report = ccpq.archive_checkpoints(src, dst, older_than="48h", memory_limit="32MiB", compression_level=3)
    except OSError as e:
        logging.error("the archive failed: %s", e)
        return 1
    print(report)
    for archive in report.archives:
        print(f"{archive.path}: {archive.rows:,} rows of {archive.hosts} hosts")
    if report.ok:
        return 0
    # The first thousand are in the report, all of them went to the log.
    print(f"{report.error_count} inputs were not archived, the first of them: {report.errors[0]}", file=sys.stderr)
    return 4


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
