#!/bin/bash
# Builds upstream's own C selftests, statically linked, from Debian's linux-source package, outside this tree.
# Prints the folder they are in. What is there already is not built again.
set -euo pipefail

package=linux-source-6.1
tests=(system_counter_offset_test x86_64/kvm_clock_test x86_64/tsc_msrs_test x86_64/tsc_scaling_sync)

fail() {
  echo "bench/upstream.sh: $*" >&2
  exit 1
}

for tool in apt-get dpkg-deb tar xz make gcc; do
  command -v "$tool" >/dev/null || fail "no $tool: install it, or run this on Debian or Ubuntu"
done

version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p')
[[ -n $version ]] || fail "apt knows no package $package: this needs Debian 12's package lists (apt-get update)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-clock-selftests/upstream
built=$cache/$version-${#tests[@]} # a folder of fewer tests is an older one
if [[ -d $built ]]; then
  echo "$built"
  exit
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.building-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

echo "bench/upstream.sh: downloading $package $version" >&2
# Without apt's own user for downloads, which may not write here.
apt-get -qq -o APT::Sandbox::User=root download "$package=$version" >&2 ||
  fail "apt-get could not download $package $version"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar x --wildcards '*/linux-source-*.tar.xz'
rm -f "$package"_*.deb

echo "bench/upstream.sh: building the C tests" >&2
tar xf usr/src/"$package".tar.xz --exclude='*/drivers' --exclude='*/sound' --exclude='*/fs' --exclude='*/net' \
  --exclude='*/Documentation'
rm -rf usr
make -s -C "$package" headers >make.log 2>&1 || fail "make headers failed: $(tail -n 3 make.log)"
make -s -C "$package/tools/testing/selftests/kvm" LDFLAGS='-static -pthread -no-pie' \
  "${tests[@]/#/$work/$package/tools/testing/selftests/kvm/}" >make.log 2>&1 ||
  fail "the C tests do not build: $(tail -n 3 make.log)"

mkdir out
for test in "${tests[@]}"; do
  install "$package/tools/testing/selftests/kvm/$test" out/
done
mv -T out "$built"
echo "$built"
