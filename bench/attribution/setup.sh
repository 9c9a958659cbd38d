# Sourced by run and verify: Python with the peers in .peers, and the program to be measured.
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PYTHON="$HERE/.peers/bin/python"

# Installed again when peers.txt changes.
install_peers() {
  if ! cmp -s "$HERE/peers.txt" "$HERE/.peers/installed.txt"; then
    echo "installing the peers into bench/attribution/.peers" >&2
    python3 -m venv "$HERE/.peers"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check -r "$HERE/peers.txt"
    cp "$HERE/peers.txt" "$HERE/.peers/installed.txt"
  fi
}

# FUNDLOOP names a program that is already built; otherwise the release build is brought up to date.
find_fundloop() {
  if [ -z "${FUNDLOOP:-}" ]; then
    (cd "$HERE/../.." && cargo build --locked --quiet --release -p fundloop)
    FUNDLOOP="$(cd "$HERE/../.." && realpath "${CARGO_TARGET_DIR:-target}")/release/fundloop"
  fi
  export FUNDLOOP
}
