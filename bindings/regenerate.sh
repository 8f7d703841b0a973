#!/usr/bin/env bash
# Makes bindings/java from linux/kvm.h with jextract, filtered by kvm.includes.
# The result is committed as it comes; README.md says more.
set -euo pipefail

# What the committed bindings were made from.
readonly linux_version=6.1.192

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
headers=${KVM_HEADERS:-/usr/include}
check=false

usage() {
  cat <<END
Usage: bindings/regenerate.sh [--check] [--headers DIR]

Makes bindings/java from DIR/linux/kvm.h, of Linux $linux_version, with a jextract on PATH or in \$JEXTRACT_HOME.

  --check        compare with what is there, change nothing; exit 1 when they differ
  --headers DIR  where linux/kvm.h is (default: \$KVM_HEADERS, else /usr/include)
END
}

die() {
  echo "regenerate.sh: $*" >&2
  exit 1
}

find_jextract() {
  if [[ -n ${JEXTRACT_HOME:-} ]]; then
    [[ -x $JEXTRACT_HOME/bin/jextract ]] || die "JEXTRACT_HOME is set, but there is no $JEXTRACT_HOME/bin/jextract"
    echo "$JEXTRACT_HOME/bin/jextract"
  else
    command -v jextract || die "no jextract on PATH or in JEXTRACT_HOME: get an early-access build from https://jdk.java.net/jextract/, or build https://github.com/openjdk/jextract"
  fi
}

# The three numbers of the headers' Linux, from the one macro that all versions define.
version_of_headers() {
  awk '$2 == "LINUX_VERSION_CODE" { printf "%d.%d.%d\n", $3 / 65536, $3 / 256 % 256, $3 % 256 }' \
    "$headers/linux/version.h"
}

check_headers() {
  local found
  [[ -r $headers/linux/kvm.h && -r $headers/linux/version.h ]] ||
    die "no linux/kvm.h and linux/version.h in $headers: install linux-libc-dev, or give --headers DIR"
  found=$(version_of_headers)
  if [[ ${found%.*} != "${linux_version%.*}" ]]; then
    die "$headers is of Linux $found, the bindings are of $linux_version: give --headers DIR of that version (moving to another: README.md)"
  elif [[ $found != "$linux_version" ]]; then
    echo "regenerate.sh: note: $headers is of Linux $found, the bindings are of $linux_version; kvm.h seldom changes between them" >&2
  fi
}

generate() {
  local out=$1 jextract=$2 messages
  # -u: a JVM that finds these says so in its output. -I: Debian keeps asm/ in the directory of the architecture.
  if ! messages=$(env -u JAVA_TOOL_OPTIONS -u JDK_JAVA_OPTIONS "$jextract" --output "$out" --target-package kvmselftest.bindings --header-class-name kvm_h \
    -I "$headers" -I "$headers/x86_64-linux-gnu" "@$here/kvm.includes" "$headers/linux/kvm.h" 2>&1); then
    die "jextract failed: $messages"
  fi
  # Nothing is expected to be skipped, so any message means that something is missing.
  [[ -z $messages ]] || die "jextract did not take everything: $messages"
}

# jextract says nothing of a name that the header lacks.
check_complete() {
  local package=$1/kvmselftest/bindings option name
  while read -r option name; do
    case $option in
    --include-struct) [[ -e $package/$name.java ]] ;;
    --include-constant) grep -q " $name() {" "$package/kvm_h.java" ;;
    *) true ;;
    esac || die "$headers/linux/kvm.h has no $name, which kvm.includes names"
  done <"$here/kvm.includes"
}

# Removes the scratch directory; puts the old bindings back if they were taken away and nothing came instead.
clean_up() {
  [[ -e $here/java || ! -e $scratch/old ]] || mv "$scratch/old" "$here/java"
  rm -rf "$scratch"
}

while (($#)); do
  case $1 in
  --check) check=true ;;
  --headers)
    (($# > 1)) || die "--headers needs a directory"
    headers=$2
    shift
    ;;
  --help | -h)
    usage
    exit
    ;;
  *) die "unknown argument $1 (--help lists them)" ;;
  esac
  shift
done

jextract=$(find_jextract)
check_headers

if $check; then
  scratch=$(mktemp -d)
else
  # Beside the target, so that moving into place is a rename.
  scratch=$(mktemp -d "$here/.regenerate.XXXXXX")
fi
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

generate "$scratch/java" "$jextract"
check_complete "$scratch/java"

if $check; then
  diff -r "$here/java" "$scratch/java" >"$scratch/differences" || {
    head -20 "$scratch/differences" >&2
    die "bindings/java is not what $("$jextract" --version 2>&1 | head -1) makes of Linux $(version_of_headers) (above: the first differences)"
  }
  echo "bindings/java is what jextract makes of $headers/linux/kvm.h"
else
  [[ ! -e $here/java ]] || mv "$here/java" "$scratch/old"
  mv "$scratch/java" "$here/java"
  echo "bindings/java made from $headers/linux/kvm.h"
fi
