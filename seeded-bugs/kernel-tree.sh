#!/bin/bash
# Makes a tree in which KVM's modules of one of Debian's kernels build, outside this tree, and builds them unchanged.
# Prints the folder; what is there already is not made again.
#
#   seeded-bugs/kernel-tree.sh RELEASE     such as 6.1.0-56-cloud-amd64
#
# Debian's header packages have all but the source of KVM itself, which comes from linux-source. In the folder:
#   tree      headers, scripts and KVM's source, built
#   pristine  KVM's source as it was
#   modules   the unchanged kvm.ko and kvm-amd.ko
set -euo pipefail

fail() {
  echo "seeded-bugs/kernel-tree.sh: $*" >&2
  exit 1
}

release=${1-}
[[ $release =~ ^([0-9]+\.[0-9]+)\.[0-9]+-[0-9]+-cloud-amd64$ ]] ||
  fail "the patches are for the kernel of Debian 12 (6.1.0-N-cloud-amd64), and the suite boots ${release:-none} here"
series=${BASH_REMATCH[1]}
[[ $series == 6.1 ]] || fail "the patches are for Linux 6.1, and the suite boots $release here"
headers=linux-headers-$release
common=linux-headers-${release%-cloud-amd64}-common

for tool in apt-get apt-cache dpkg-deb tar xz make gcc-12 strip patch; do
  command -v "$tool" >/dev/null ||
    fail "no $tool: apt-get install apt dpkg tar xz-utils make gcc-12 binutils patch libelf1 (Debian 12)"
done

version=$(apt-cache show --no-all-versions "$headers" 2>/dev/null | sed -n 's/^Version: //p')
[[ -n $version ]] || fail "apt knows no package $headers: this needs Debian 12's package lists (apt-get update)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-clock-selftests/seeded-bugs
made=$cache/$release-$version
if [[ -d $made ]]; then
  echo "$made"
  exit
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.making-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"

echo "seeded-bugs: downloading KVM's source and kernel headers, $version" >&2
# Without apt's own user for downloads, which may not write here.
for package in "$headers" "$common" "linux-kbuild-$series" "linux-source-$series"; do
  apt-get -qq -o APT::Sandbox::User=root download "$package=$version" >&2 ||
    fail "apt-get could not download $package $version"
done

echo "seeded-bugs: unpacking" >&2
for package in "$headers" "$common" "linux-kbuild-$series"; do
  dpkg-deb -x "$package"_*.deb unpacked
done
mkdir tree pristine modules
# One tree of what Debian splits in three.
cp -a "unpacked/usr/src/$common/." tree
cp -a "unpacked/usr/src/$headers/.config" "unpacked/usr/src/$headers/.kernelvariables" \
  "unpacked/usr/src/$headers/Module.symvers" "unpacked/usr/src/$headers/arch" "unpacked/usr/src/$headers/include" tree
rm -rf tree/scripts tree/tools
cp -a "unpacked/usr/lib/linux-kbuild-$series/." tree
dpkg-deb --fsys-tarfile "linux-source-${series}"_*.deb | tar x --wildcards '*/linux-source-*.tar.xz'
rm -f ./*.deb
for folder in tree pristine; do
  mkdir -p "$folder/arch/x86"
done
tar xf "usr/src/linux-source-$series.tar.xz" "linux-source-$series/arch/x86/kvm" "linux-source-$series/virt"
cp -a "linux-source-$series/virt" tree
cp -a "linux-source-$series/arch/x86/kvm" tree/arch/x86
mv "linux-source-$series/arch/x86/kvm" pristine/arch/x86
rm -rf usr unpacked "linux-source-$series"

echo "seeded-bugs: building the unchanged modules" >&2
make -s -j2 -C tree KCFLAGS=-g0 CONFIG_KVM_INTEL= M=arch/x86/kvm modules >make.log 2>&1 ||
  fail "the unchanged modules do not build: $(grep -m 3 -i error make.log || tail -n 3 make.log)"
rm make.log
for module in kvm kvm-amd; do
  strip -g -o "modules/$module.ko" "tree/arch/x86/kvm/$module.ko"
done
chmod 755 "$work"
trap - EXIT
mv -T "$work" "$made"
echo "$made"
