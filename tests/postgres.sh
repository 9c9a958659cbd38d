# Sourced by ./check and bench/loop: a throwaway PostgreSQL. The caller has `say` and `die`, calls `start_postgres`,
# finds its address in TEST_POSTGRES_URL, and calls `stop_postgres` whatever happens.

SCRATCH="" AS=()

# A private cluster on a unix socket. Durability is off: the machine may lose it, nobody will look for it. PostgreSQL
# refuses to run as root, so root hands it to the user postgres.
start_postgres() {
  PG_BIN="$(postgres_bin)"
  SCRATCH="$(mktemp -d /tmp/fl.XXXXXX)" # short: a unix socket's path may hold 107 bytes
  if [ "$(id -u)" -eq 0 ]; then
    chown postgres: "$SCRATCH"
    AS=(setpriv --reuid=postgres --regid=postgres --init-groups env -u XDG_RUNTIME_DIR HOME="$SCRATCH")
  fi
  as_owner "$PG_BIN/initdb" --no-sync -U postgres -A trust -E UTF8 --locale=C.UTF-8 -D "$SCRATCH/data" >"$SCRATCH.log" 2>&1 ||
    { cat "$SCRATCH.log" >&2; die "initdb failed"; }
  as_owner "$PG_BIN/pg_ctl" -w -s -D "$SCRATCH/data" -l "$SCRATCH/server.log" -o "-c listen_addresses='' \
    -c unix_socket_directories=$SCRATCH -c max_connections=300 -c shared_buffers=256MB \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start ||
    { cat "$SCRATCH/server.log" >&2; die "PostgreSQL did not start"; }
  export TEST_POSTGRES_URL="postgres://postgres@localhost/postgres?host=$SCRATCH"
  say "   $("$PG_BIN/postgres" --version), socket in $SCRATCH"
}

stop_postgres() {
  [ -n "$SCRATCH" ] || return 0
  [ ! -f "$SCRATCH/data/postmaster.pid" ] || as_owner "$PG_BIN/pg_ctl" -w -s -m immediate -D "$SCRATCH/data" stop || true
  rm -rf "$SCRATCH" "$SCRATCH.log"
}

postgres_bin() {
  local dir
  for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) $(dirname "$(command -v initdb || echo /none/initdb)"); do
    [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && { echo "$dir"; return; }
  done
  return 1
}

# `cd /`: the user postgres may not be allowed to stand where we stand. Nor does the server keep a lock of ours (9).
as_owner() { (cd / && "${AS[@]}" "$@" 9>&-); }
