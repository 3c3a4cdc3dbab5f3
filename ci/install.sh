#!/bin/sh
# Installs sseproof: the released program for this machine, if its checksum is right, or, if there is
# none, what cargo builds. A wrong checksum ends with an error, and nothing is built in its place.
#
#   SSEPROOF_VERSION   the version, as in 0.2.0 (default: that of SSEPROOF_SOURCES)
#   SSEPROOF_RELEASES  the URL or folder of all releases; of 0.2.0, it has the archives and SHA256SUMS
#                      in v0.2.0
#   SSEPROOF_SOURCES   what cargo builds: a folder with a clone, or the URL of one
#   SSEPROOF_FOLDER    the folder for the program
#
# The action runs this file, and the GitLab component has its text. Its variables are never parts of
# its text, so that no input can be run as a command.
set -eu

fail() {
  echo "sseproof: $1" >&2
  exit 1
}

releases=${SSEPROOF_RELEASES:-}
sources=${SSEPROOF_SOURCES:-}
folder=${SSEPROOF_FOLDER:-${RUNNER_TEMP:-${TMPDIR:-/tmp}}/sseproof-program}
version=${SSEPROOF_VERSION:-}
version=${version#v}
own=''
if [ -f "$sources/Cargo.toml" ]; then
  own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$sources/Cargo.toml" | head -n 1)
fi
version=${version:-$own}
case $version in
  '') fail 'which version? Set SSEPROOF_VERSION, as in 0.2.0' ;;
  *[!0-9A-Za-z.+-]*) fail "\`$version\` is not a version; write it as in 0.2.0" ;;
esac

# The name of this machine, as rustc and the archives have it.
case $(uname -m) in
  x86_64 | amd64) processor=x86_64 ;;
  aarch64 | arm64) processor=aarch64 ;;
  *) processor=unknown ;;
esac
program=sseproof
case $(uname -s) in
  Linux)
    system=unknown-linux-gnu
    for loader in /lib/ld-musl-*; do
      if [ -e "$loader" ]; then system=unknown-linux-musl; fi
    done
    ;;
  Darwin) system=apple-darwin ;;
  MINGW* | MSYS* | CYGWIN*)
    system=pc-windows-msvc
    program=sseproof.exe
    ;;
  *) system=unknown ;;
esac
name=sseproof-$version-$processor-$system

# fetch FILE: from the release into $work
fetch() {
  case $releases in
    https://*)
      curl --proto '=https' --tlsv1.2 --location --fail --silent --show-error --retry 3 \
        --output "$work/$1" "$releases/v$version/$1"
      ;;
    '' | *://*) return 1 ;;
    *) cp "$releases/v$version/$1" "$work/$1" ;;
  esac
}

checksum() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 "$1" | cut -d ' ' -f 1
  fi
}

# Ends with 1 if there is no released program for this machine.
released() {
  fetch SHA256SUMS || return 1
  expected=$(awk -v name="$name.tar.gz" '$2 == name { print $1 }' "$work/SHA256SUMS")
  if [ -z "$expected" ]; then return 1; fi
  fetch "$name.tar.gz" || fail "cannot fetch $name.tar.gz, which the release has"
  actual=$(checksum "$work/$name.tar.gz")
  if [ "$actual" != "$expected" ]; then
    fail "$name.tar.gz has the checksum $actual, and SHA256SUMS says $expected: not installed"
  fi
  # In the condition of an `if`, a failed command does not end the script by itself.
  tar -xzf "$work/$name.tar.gz" -C "$work" || fail "cannot unpack $name.tar.gz"
  cp "$work/$name/$program" "$folder/$program" || fail "cannot write $folder/$program"
  chmod +x "$folder/$program"
}

built() {
  command -v cargo >/dev/null || fail "there is no program of $version for this machine, and no cargo to build it"
  echo "sseproof: there is no program of $version for $processor-$system; cargo builds it, which takes minutes" >&2
  case $sources in
    '') fail 'what should cargo build? Set SSEPROOF_SOURCES to a clone, or to its URL' ;;
    *://*) cargo install --locked --root "$work" --git "$sources" --tag "v$version" sseproof ;;
    *)
      if [ "$version" != "$own" ]; then fail "$sources has the version $own, and not $version"; fi
      cargo install --locked --root "$work" --path "$sources/crates/sseproof"
      ;;
  esac
  cp "$work/bin/$program" "$folder/$program"
}

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! released; then built; fi
# For the next steps of GitHub Actions, and for the rest of this shell.
if [ -n "${GITHUB_PATH:-}" ]; then
  if command -v cygpath >/dev/null; then cygpath -w "$folder"; else echo "$folder"; fi >>"$GITHUB_PATH"
fi
PATH=$folder:$PATH
export PATH
"$folder/$program" --version
