#!/usr/bin/env bash
# Installs programs from Debian's packages where they are missing: those that the tests put around why412, or those
# named as arguments. They are only ever started by who asked for them, on ports of their own: no service is started or
# enabled by this.
set -euo pipefail

declare -A package_of=(
  [nginx]=nginx-light [apache2]=apache2-bin [haproxy]=haproxy [promtool]=prometheus [curl]=curl [wrk]=wrk
  [varnishd]=varnish [unzip]=unzip [chromium]=chromium [chromedriver]=chromium-driver [node]=nodejs
  [har-validator]=node-har-validator [zsh]=zsh [fish]=fish [mandoc]=mandoc [jq]=jq [grpc]=python3-grpcio
  [h2load]=nghttp2-client [strace]=strace [prlimit]=util-linux
  [litmus]=litmus [venv]=python3-venv
)
[ "$#" -gt 0 ] || set -- \
  nginx apache2 haproxy varnishd promtool curl chromium chromedriver unzip node har-validator zsh fish mandoc jq \
  grpc litmus wrk h2load strace prlimit

# A library for node or for Debian's Python is no program: it is there if its directory is.
is_there() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ||
    [ -d "/usr/share/nodejs/$1" ] || [ -d "/usr/lib/python3/dist-packages/$1" ]
}
missing=()
for name in "$@"; do
  is_there "$name" || missing+=("${package_of[$name]}")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "These are missing and there is no apt-get to install them: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run as root, or install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

# Debian's packages start their service when installed, unless policy-rc.d forbids it. A policy that is there already
# is put back as it was.
policy=/usr/sbin/policy-rc.d
kept=$(mktemp)
had_policy=no
if [ -e "$policy" ]; then
  had_policy=yes
  "${as_root[@]}" cp -p "$policy" "$kept"
fi
restore_policy() {
  if [ "$had_policy" = yes ]; then
    "${as_root[@]}" cp -p "$kept" "$policy"
  else
    "${as_root[@]}" rm -f "$policy"
  fi
  rm -f "$kept"
}
trap restore_policy EXIT
printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
"${as_root[@]}" chmod 755 "$policy"

# A package list may be too old to name what the mirror still has.
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --yes --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
echo "Installing ${missing[*]} …" >&2
install 2>/dev/null || { "${as_root[@]}" apt-get update -qq; install; }
