#!/bin/sh
# Install the Debian packages given as arguments, and start none of the services that they bring, neither now nor when the machine starts.
# Without them tests skip and say what is missing, so whatever goes wrong here is a warning. PEERS=no installs nothing.
set -eu

[ "${PEERS:-yes}" != no ] || exit 0

missing=
for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

skip() {
    echo "crenel: not installed:$missing ($1); tests that need them will be skipped" >&2
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip "not root"
command -v apt-get >/dev/null || skip "no apt-get here"

# Packages ask this file before they start a service; 101 forbids it. One that forbids already, and any other, is there again afterwards.
policy=${CRENEL_POLICY:-/usr/sbin/policy-rc.d}
mark='# put here by crenel, for as long as it installs packages'
put() {
    exec 9<"$(dirname "$policy")"
    flock 9 # two runs at once would take away each other's
    if [ -e "$policy" ] && ! grep -qxF "$mark" "$policy"; then
        status=0
        "$policy" any start >/dev/null 2>&1 || status=$?
        [ $status -ne 101 ] || return 0
        mv "$policy" "$policy.crenel" || return 1
    fi
    trap restore EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
}
restore() {
    rm -f "$policy"
    [ ! -e "$policy.crenel" ] || mv "$policy.crenel" "$policy"
}

put || skip "$policy cannot be written"
echo "Installing$missing ..." >&2
export DEBIAN_FRONTEND=noninteractive
get() {
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@" </dev/null >/dev/null
}
get update || true # without a network the packages may still lie in the cache
get_package() {
    get install --yes --no-install-recommends "$@" && retire "$@"
}
# A package also has its services start whenever the machine does, and nobody forbids that then.
retire() {
    for package in "$@"; do
        dpkg-query -L "$package" 2>/dev/null | while read -r path; do
            case $path in
            */systemd/system/*/* | */systemd/system/*@.*) ;;
            */systemd/system/*.service | */systemd/system/*.socket | */systemd/system/*.timer | */systemd/system/*.target)
                # It works for packages only, so it is told which one this is for.
                DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper disable "${path##*/}" || true
                ;;
            /etc/init.d/*) update-rc.d "${path##*/}" disable || true ;;
            esac
        done >/dev/null 2>&1 || true
    done
}
# shellcheck disable=SC2086 # names of packages, one word each
get_package $missing && exit 0

# One that cannot be had must not keep the others away.
wanted=$missing
missing=
for package in $wanted; do
    get_package "$package" || missing="$missing $package"
done
[ -z "$missing" ] || skip "apt-get failed, the reason stands above"
