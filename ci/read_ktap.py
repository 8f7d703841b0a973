"""Reads KTAP with the kernel's own parser and compares its counts with the line of totals.

    read_ktap.py FOLDER_OF_KUNIT_PARSER FILE [cut]

With "cut" the file is of a run that was cut off: the parser has to notice that tests are missing.
"""

import contextlib
import io
import re
import sys

TOTALS = re.compile(
    r"# Totals: pass:(\d+) fail:(\d+) xfail:0 xpass:0 skip:(\d+) error:(\d+)$"
)


def totals(lines):
    """What the run says of itself, in its last line."""
    match = TOTALS.match(lines[-1]) if lines else None
    if not match:
        sys.exit("the last line is not one of totals: " + (lines[-1] if lines else "no lines"))
    return [int(count) for count in match.groups()]


def main():
    folder, file, *cut = sys.argv[1:]
    sys.path.insert(0, folder)
    with open(file, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        # Here, because it keeps the stream that it finds.
        import kunit_parser  # pylint: disable=import-outside-toplevel,import-error

        test = kunit_parser.parse_run_tests(lines)
    counts = test.counts
    passed, failed, skipped, errors = totals(lines)
    print(f"kunit_parser.py: {test.status.name}, {counts}")
    print(lines[-1])
    same = (counts.passed, counts.skipped) == (passed, skipped)
    if cut:
        noticed = counts.crashed > 0 and not test.ok_status()
        same = same and counts.failed in (failed, failed + errors) and noticed
    else:
        same = same and counts.failed == failed and counts.crashed == counts.errors == errors == 0
        same = same and test.ok_status() == (failed == 0)
    if not same:
        print(said.getvalue())
        sys.exit("the kernel's parser and the run count differently")


main()
