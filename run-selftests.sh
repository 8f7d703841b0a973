#!/usr/bin/env bash
# Runs the selftests: finds a JDK, builds what has changed, starts the launcher. See --help.
# In the archive that the build makes, all of that is there already, in runtime and lib.
#
# Exit status: that of the launcher (0, 1, 4, 64), or 1 if it does not get that far or is cut off.
# Never 2 or 3, which kselftest reads as an expected failure.

set -u
shopt -s nullglob
export LC_ALL=C # one order of the class path, whatever the user's language

readonly java_needed=25
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly root target=$root/target
readonly stamp=$target/selftests.stamp
readonly runtime=$root/runtime # of the archive
if [[ -x $runtime/bin/java ]]; then
  libraries=$root/lib crashes=${TMPDIR:-/tmp}
  tests=("$libraries"/kvm-clock-selftests-*-tests.jar)
  jars=("${tests[0]%-tests.jar}.jar" "${tests[0]}")
else
  libraries=$target/lib crashes=$target
  jars=("$target/kvm-clock-selftests-0.1.0.jar" "$target/kvm-clock-selftests-0.1.0-tests.jar")
fi
readonly libraries crashes jars

fail() {
  echo "error: $1" >&2
  exit 1
}

# --- A JDK ---

# The feature release of the JDK in a folder (25); nothing if there is no JDK in it.
jdk_release() {
  local text
  [[ -x $1/bin/java && -x $1/bin/javac ]] || return 0
  if [[ -r $1/release ]]; then
    text=$(<"$1/release")
    [[ $text =~ JAVA_VERSION=\"([0-9]+) ]] || return 0
  else
    text=$("$1/bin/java" -version 2>&1) || return 0
    [[ $text =~ version\ \"([0-9]+) ]] || return 0
  fi
  echo "${BASH_REMATCH[1]}"
}

# Where JDKs are looked for, in this order.
jdk_candidates() {
  local java
  printf '%s\n' "${JAVA_HOME-}" "${JDK_HOME-}"
  java=$(command -v java) && dirname "$(dirname "$(readlink -f "$java")")"
  printf '%s\n' /usr/lib/jvm/* "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* /opt/*
}

find_jdk() {
  local folder release
  while IFS= read -r folder; do
    [[ $folder == /* ]] || continue
    release=$(jdk_release "$folder")
    if [[ -n $release && $release -ge $java_needed ]]; then
      echo "$folder"
      return
    fi
  done < <(jdk_candidates)
  return 1
}

# --- A build, if something has changed since the last ---

inputs_digest() {
  local inputs=("$root"/{pom.xml,src,bindings/java,guest-blobs/bin,.mvn})
  {
    find "${inputs[@]}" -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum
    find "$target/lib" -name '*.jar' -printf '%f %s\n' 2>/dev/null | sort
    sha256sum "${jars[@]}" 2>/dev/null
  } | sha256sum
}

is_built() {
  [[ -e ${jars[0]} && -e ${jars[1]} && -r $stamp && $(<"$stamp") == $(inputs_digest) ]]
}

build() {
  local log=$target/selftests-build.log begun=$SECONDS
  command -v mvn >/dev/null || fail "mvn is missing, which builds the selftests: apt-get install maven"
  mkdir -p "$target" || fail "cannot write to $root: run from a copy of your own"
  rm -f "$stamp"
  echo "Building (the first time Maven also fetches what it needs)..." >&2
  # The check of the format is for those who change the sources; it does not keep a test from running.
  if ! JAVA_HOME=$jdk mvn -q -B -f "$root/pom.xml" -DskipTests -Dexec.skip=true -Ddist.skip=true package \
    >"$log" 2>&1 </dev/null 9<&-; then
    tail -n 30 "$log" >&2
    fail "the build failed; all of its output is in $log"
  fi
  inputs_digest >"$stamp" || fail "cannot write $stamp"
  echo "Built in $((SECONDS - begun)) s." >&2
}

# A run holds the lock shared, a build alone, so that no run has its jars changed under it.
build_if_needed() {
  exec 9<"$root"
  if ! flock -s -n 9; then
    echo "Waiting for another build of this folder..." >&2
    flock -s 9
  fi
  until is_built; do
    if ! flock -n 9; then
      echo "Something has changed since the last build: waiting for the runs in this folder to end..." >&2
      flock 9
    fi
    is_built || build
    flock -s 9
  done
}

# --- The launcher ---

# Signals go on to the launcher, which then says how far it got and leaves nothing behind.
run() {
  local class_path child status jar
  class_path=$(
    IFS=:
    echo "${jars[*]}"
  )
  for jar in "$libraries"/*.jar; do
    [[ :$class_path: == *:"$jar":* ]] || class_path+=:$jar
  done
  "$jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -XX:+UseSerialGC -XX:ErrorFile="$crashes/hs_err_pid%p.log" \
    -cp "$class_path" kvmselftest.cli.Main "$@" &
  child=$!
  trap 'kill -TERM "$child" 2>/dev/null' INT TERM HUP
  wait "$child"
  while kill -0 "$child" 2>/dev/null; do
    wait "$child" # a signal cut the wait short
  done
  wait "$child"
  status=$?
  case $status in
  0 | 1 | 4 | 64) exit "$status" ;;
  130 | 143) fail "interrupted: no verdict" ;;
  *) fail "the JVM ended with status $status: no verdict" ;;
  esac
}

trap 'fail "interrupted: no verdict"' INT TERM HUP
[[ $root != *:* ]] || fail "the path of $root has a colon, which a Java class path cannot hold: move it"
if [[ -x $runtime/bin/java ]]; then
  jdk=$runtime
  run "$@"
fi
for tool in flock sha256sum readlink find; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install util-linux coreutils findutils"
done
jdk=$(find_jdk) ||
  fail "no JDK $java_needed or newer found: install one (apt-get install openjdk-25-jdk-headless, or https://adoptium.net), or set JAVA_HOME"
build_if_needed
run "$@"
