#!/bin/bash
# Unpacks the kernel's own KTAP parser and selftest runner from Debian's linux-source package, outside this tree.
# Prints the folder of tools/testing; what is there already is not unpacked again.
set -euo pipefail

package=linux-source-6.1

fail() {
  echo "ci/kernel-tools.sh: $*" >&2
  exit 1
}

for tool in apt-get apt-cache dpkg-deb tar xz; do
  command -v "$tool" >/dev/null || fail "no $tool: install it, or run this on Debian"
done

version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p')
[[ -n $version ]] || fail "apt knows no package $package: this needs Debian 12's package lists (apt-get update)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-clock-selftests/kernel-tools
made=$cache/$version
if [[ -d $made ]]; then
  echo "$made"
  exit
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.unpacking-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"

echo "ci/kernel-tools.sh: downloading $package $version" >&2
# Without apt's own user for downloads, which may not write here.
apt-get -qq -o APT::Sandbox::User=root download "$package=$version" >&2 ||
  fail "apt-get could not download $package $version"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar x --wildcards '*/linux-source-*.tar.xz'
rm -f "$package"_*.deb
testing=$package/tools/testing
tar xf usr/src/"$package".tar.xz "$testing/kunit" "$testing/selftests/kselftest" \
  "$testing/selftests/run_kselftest.sh"
mv "$testing" out
# Another run may have been quicker.
mv -T out "$made" 2>/dev/null || [[ -d $made ]] || fail "cannot write $made"
echo "$made"
