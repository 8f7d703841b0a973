#!/bin/bash
# Seeded bugs: runs the suite and upstream's C tests against KVM with one bug at a time, and prints who caught what.
# See --help and seeded-bugs/README.md.
set -euo pipefail
export LC_ALL=C # one order of the class path, whatever the user's language

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

fail() {
  echo "seeded-bugs/run.sh: $*" >&2
  exit 1
}

command -v mvn >/dev/null || fail "no mvn: apt-get install maven"
"$root/run-selftests.sh" --version >/dev/null || exit 1 # builds what has changed

# The JDK that the build finds.
jdk=$(mvn -q -f "$root/pom.xml" validate org.codehaus.mojo:exec-maven-plugin:exec -Dexec.executable=java \
  -Dexec.args="-XshowSettings:properties -version" 2>&1 | awk '$1 == "java.home" { print $3 }')
[[ -x $jdk/bin/java ]] || fail "the build finds no JDK 25"

# As run-selftests.sh puts it, so that both use the same image from the cache.
jars=("$root"/target/kvm-clock-selftests-0.1.0{,-tests}.jar "$root"/target/lib/*.jar)
class_path=$(
  IFS=:
  echo "${jars[*]}"
)
exec "$jdk/bin/java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -cp "$class_path" kvmselftest.bank.SeededBugs "$root" "$@"
