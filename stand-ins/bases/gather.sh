#!/bin/sh
# Lays out the smallest root file system in which some programs run: gather.sh ROOT PROGRAM_OR_LIBRARY...
# Besides the named files (kept where they are) it holds the libraries that they link, all of the C library's own, a busybox
# shell, the certificates of authorities, and the accounts root and nobody. Fails when a library is missing.
set -eu
root=$1
shift

mkdir -p "$root/etc/ssl/certs" "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/root" "$root/run" \
    "$root/tmp" "$root/var/tmp" "$root/proc" "$root/sys" "$root/dev"
chmod 1777 "$root/tmp" "$root/var/tmp"
for link in bin lib lib64 sbin; do ln -sfn "usr/$link" "$root/$link"; done

cp /usr/lib/os-release "$root/etc/os-release"
cp /etc/debian_version /etc/nsswitch.conf "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
grep -E '^(root|nobody):' /etc/passwd | sed 's#/bin/bash#/bin/sh#' >"$root/etc/passwd"
grep -E '^(root|nogroup):' /etc/group >"$root/etc/group"

cp -a --parents /usr/lib/locale/C.utf8 "$root"
cp "$(command -v busybox)" "$root/usr/bin/busybox"
chroot "$root" /usr/bin/busybox --install -s /usr/bin

libraries=$(mktemp)
dpkg -L libc6 | grep '/lib[^/]*\.so\.[0-9]*$' >"$libraries"
for file in "$@"; do
    cp -a --parents "$file" "$root"
    ldd "$file" >"$libraries.one" 2>/dev/null || continue # a text file, or a static program
    if grep 'not found' "$libraries.one"; then
        echo "$file links a library that is not installed" >&2
        exit 1
    fi
    grep -o '/[^ ]*' "$libraries.one" >>"$libraries" || true
done
# Debian's /lib is a link to /usr/lib, and most libraries are links to their full version.
sort -u "$libraries" | while read -r library; do
    place=$(readlink -f "$(dirname "$library")")
    mkdir -p "$root$place"
    cp -aL "$library" "$root$place/"
done
rm "$libraries" "$libraries.one"
