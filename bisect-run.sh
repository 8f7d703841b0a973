#!/usr/bin/env bash
# For `git bisect run` in a kernel tree: builds the commit that is checked out, runs the selftests on it, and ends with
# what git wants to know: 0 good, 1 bad, 125 untestable, 128 stop. See --help and docs/bisect.md.

set -u

usage() {
  cat <<'END'
Usage: git bisect run bisect-run.sh --build COMMAND [--reports DIR] [--no-verdict HOW] -- OPTION...

Builds the commit that is checked out and runs run-selftests.sh with the OPTIONs, in the folder that git bisect runs in.

Options:
  --build COMMAND    How to build, as the shell has it; a commit that does not build is skipped.
  --reports DIR      Keep each commit's report in DIR, under the name of the commit.
  --no-verdict HOW   What a kernel is that panics, hangs or does not boot: skip (it may be another bug) or bad.
                     Default: skip.

Example:
  git bisect start v6.15 v6.14 -- arch/x86/kvm
  git bisect run ~/kvm-clock-selftests/bisect-run.sh --build 'make -j8 olddefconfig bzImage modules' -- --kernel .

Exit status:
    0   good: passed
    1   bad: a test failed
  125   skip: does not build, no kernel that can be tested, all tests skipped, or no verdict
  128   stop the bisection: the options are wrong, or the run was interrupted
END
}

# git bisect goes on after every status below 128.
stop() {
  echo "bisect-run.sh: $1" >&2
  exit 128
}

skip() {
  echo "bisect-run.sh: ${commit:-this commit} is skipped: $1" >&2
  exit 125
}

tool=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
build='' reports='' no_verdict=skip
while (($# > 0)); do
  case $1 in
  -h | --help)
    usage
    exit 0
    ;;
  --build | --reports | --no-verdict)
    (($# > 1)) || stop "$1 needs a value; see bisect-run.sh --help"
    case $1 in
    --build) build=$2 ;;
    --reports) reports=$2 ;;
    --no-verdict) no_verdict=$2 ;;
    esac
    shift 2
    ;;
  --)
    shift
    break
    ;;
  *) stop "unknown option $1; see bisect-run.sh --help" ;;
  esac
done
[[ -n $build ]] || stop "--build COMMAND is missing; see bisect-run.sh --help"
[[ $no_verdict == skip || $no_verdict == bad ]] || stop "--no-verdict is skip or bad, not $no_verdict"
for option; do
  # It is how the verdict is had here.
  [[ $option != --report && $option != --report=* ]] || stop "$option: say --reports DIR before the --"
done

commit=$(git rev-parse --short HEAD) || stop "this is no git repository: start it by git bisect run"
work=$(mktemp -d) || stop "no temporary folder"
trap 'rm -rf "$work"' EXIT
trap 'stop "interrupted"' INT TERM HUP

echo "bisect-run.sh: building $commit" >&2
bash -c "$build" </dev/null || skip "it does not build"

# Options that are wrong would be so with every commit.
"$tool/run-selftests.sh" --list "$@" >"$work/list" 2>&1 || stop "$(grep -m 1 '^error: ' "$work/list")"

report=${reports:-$work}/$commit

# run OPTION...: sets status and verdict.
run() {
  rm -rf "$report"
  mkdir -p "$report" || stop "cannot make $report"
  "$tool/run-selftests.sh" "$@" --report "$report"
  status=$?
  verdict=
  [[ ! -r $report/verdict ]] || verdict=$(<"$report/verdict")
}

has_no_verdict() {
  [[ $status == 1 && $verdict != failed* && $verdict != *interrupted* ]]
}

run "$@"
if has_no_verdict; then
  echo "bisect-run.sh: $commit came to no verdict: once more, a busy machine may have been the reason" >&2
  run "$@"
fi
case $status in
0)
  echo "bisect-run.sh: $commit is good" >&2
  exit 0
  ;;
4) skip "all tests were skipped" ;;
64) skip "its kernel cannot be tested" ;;
esac
if [[ $verdict == failed* ]]; then
  echo "bisect-run.sh: $commit is bad" >&2
  exit 1
fi
[[ $verdict != *interrupted* ]] || stop "interrupted"
[[ $no_verdict == skip ]] || {
  echo "bisect-run.sh: $commit is bad: it came to no verdict" >&2
  exit 1
}
skip "it came to no verdict"
