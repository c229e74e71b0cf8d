#!/usr/bin/env bash
# why412 beside nginx and HAProxy, as plain reverse proxies in front of the same origin, on this machine.
#
# The proxy that is measured has one core, load and origin have another. Rounds are interleaved, so that what the machine
# does meanwhile meets all alike; what is printed are medians. why412 inspects every exchange, as it always does: the
# requests carry a condition and the answers carry validators.
#
#   benches/proxy.sh            three rounds, less than three minutes once everything is built
#   ROUNDS=5 benches/proxy.sh   more of them
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

ROUNDS=${ROUNDS:-3}
SECONDS_SMALL=${SECONDS_SMALL:-4}   # per proxy and round, at 1 KB
SECONDS_LARGE=${SECONDS_LARGE:-3}   # at 100 MB
SECONDS_RATE=${SECONDS_RATE:-3}     # at the fixed rate
RATE=${RATE:-2000}                  # requests per second
IDLE=${IDLE:-2000}                  # idle connections
PROXY_CORE=${PROXY_CORE:-0}
LOAD_CORE=${LOAD_CORE:-1}

[ "$(nproc --all)" -ge 2 ] || { echo "This needs two cores: one for the proxy, one for load and origin." >&2; exit 1; }
tests/setup.sh nginx haproxy wrk curl
cargo build --release --locked --quiet
tools=$(mktemp -d); children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$tools"
}
trap finish EXIT
rustc -O --edition 2024 -o "$tools/load" benches/load.rs
ulimit -n 16384 2>/dev/null || ulimit -n "$(ulimit -Hn)"

free_port() {
  local port
  while :; do
    port=$((12000 + RANDOM % 18000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
wait_for() {
  for _ in $(seq 200); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.05
  done
  echo "nothing listens on port $1" >&2; cat "$tools"/*.log >&2 || true; exit 1
}

# --- origin: nginx with two static files ---------------------------------------------------------------------------
origin=$(free_port)
mkdir -p "$tools/files"
head -c 1024 /dev/zero | tr '\0' x >"$tools/files/1k"
head -c 100000000 /dev/zero >"$tools/files/100m"
nginx_paths="client_body_temp_path $tools/body; proxy_temp_path $tools/proxy; fastcgi_temp_path $tools/fastcgi;
  uwsgi_temp_path $tools/uwsgi; scgi_temp_path $tools/scgi;"
cat >"$tools/origin.conf" <<CONF
daemon off; master_process off; pid $tools/origin.pid; error_log $tools/origin.log;
events { worker_connections 8192; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; $nginx_paths
  open_file_cache max=10;
  server { listen 127.0.0.1:$origin backlog=4096; root $tools/files; }
}
CONF
chmod -R a+rX "$tools"
taskset -c "$LOAD_CORE" nginx -e "$tools/origin.log" -c "$tools/origin.conf" & children+=($!)
wait_for "$origin"

# --- the three proxies ---------------------------------------------------------------------------------------------
proxies=(nginx haproxy why412)
declare -A port_of pid_of
for proxy in "${proxies[@]}"; do port_of[$proxy]=$(free_port); done
cat >"$tools/nginx.conf" <<CONF
daemon off; master_process off; pid $tools/nginx.pid; error_log $tools/nginx.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; $nginx_paths
  upstream origin { server 127.0.0.1:$origin; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port_of[nginx]} backlog=4096;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host \$http_host; proxy_max_temp_file_size 0;
    }
  }
}
CONF
cat >"$tools/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout client 60s
  timeout server 60s
  timeout connect 5s
listen bench
  bind 127.0.0.1:${port_of[haproxy]} backlog 4096
  server origin 127.0.0.1:$origin
CONF
printf '[limits]\nthreads = 1\n' >"$tools/why412.toml"
taskset -c "$PROXY_CORE" nginx -e "$tools/nginx.log" -c "$tools/nginx.conf" & pid_of[nginx]=$!
taskset -c "$PROXY_CORE" haproxy -db -f "$tools/haproxy.cfg" 2>"$tools/haproxy.log" & pid_of[haproxy]=$!
taskset -c "$PROXY_CORE" target/release/why412 run --config "$tools/why412.toml" \
  --listen "127.0.0.1:${port_of[why412]}" --admin "127.0.0.1:$(free_port)" --upstream "http://127.0.0.1:$origin" \
  >"$tools/why412.log" 2>&1 & pid_of[why412]=$!
children+=("${pid_of[@]}")
for proxy in "${proxies[@]}"; do wait_for "${port_of[$proxy]}"; done

# --- measuring -----------------------------------------------------------------------------------------------------
ticks_per_second=$(getconf CLK_TCK)
cpu_ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$1/stat"; }   # own and ended children
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
note() { echo "$3" >>"$tools/$1.$2"; }
median() { sort -n "$tools/$1.$2" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR+1)/2] : (v[NR/2] + v[NR/2+1]) / 2 }'; }
load() { taskset -c "$LOAD_CORE" "$@"; }

for proxy in "${proxies[@]}"; do
  load "$tools/load" rate "127.0.0.1:${port_of[$proxy]}" 500 1 >/dev/null    # warm
  note "$proxy" idle_kb "$(resident_kb "${pid_of[$proxy]}")"
done
for round in $(seq "$ROUNDS"); do
  echo "round $round of $ROUNDS …" >&2
  read -r p50 p99 < <(load "$tools/load" rate "127.0.0.1:$origin" "$RATE" "$SECONDS_RATE")
  note direct p50 "$p50"; note direct p99 "$p99"
  for proxy in "${proxies[@]}"; do
    url=http://127.0.0.1:${port_of[$proxy]} pid=${pid_of[$proxy]}

    before=$(cpu_ticks "$pid")
    requests=$(load wrk -t1 -c64 -d "${SECONDS_SMALL}s" -H 'If-None-Match: "other"' "$url/1k" |
      awk '/requests in/ { print $1 } /Non-2xx|Socket errors/ { print "failed: " $0 > "/dev/stderr" }')
    note "$proxy" requests_per_cpu_second \
      "$(awk -v r="$requests" -v t=$(($(cpu_ticks "$pid") - before)) -v h="$ticks_per_second" 'BEGIN { print r * h / t }')"

    before=$(cpu_ticks "$pid")
    count=0 end=$((SECONDS + SECONDS_LARGE))
    while [ "$SECONDS" -lt "$end" ]; do
      load curl -sf -o /dev/null "$url/100m"; count=$((count + 1))
    done
    note "$proxy" gb_per_cpu_second \
      "$(awk -v n="$count" -v t=$(($(cpu_ticks "$pid") - before)) -v h="$ticks_per_second" 'BEGIN { print n * 0.1 * h / t }')"

    read -r p50 p99 < <(load "$tools/load" rate "127.0.0.1:${port_of[$proxy]}" "$RATE" "$SECONDS_RATE")
    note "$proxy" p50 "$p50"; note "$proxy" p99 "$p99"
  done
done
for proxy in "${proxies[@]}"; do
  mkfifo "$tools/hold"
  load "$tools/load" hold "127.0.0.1:${port_of[$proxy]}" "$IDLE" <"$tools/hold" >"$tools/held" & holder=$!
  exec 4>"$tools/hold"
  for _ in $(seq 400); do grep -q held "$tools/held" 2>/dev/null && break; sleep 0.05; done
  note "$proxy" held_kb "$(resident_kb "${pid_of[$proxy]}")"
  exec 4>&-
  wait "$holder" || echo "$proxy did not hold $IDLE connections" >&2
  rm -f "$tools/hold" "$tools/held"
done

# --- what came out -------------------------------------------------------------------------------------------------
added() { awk -v a="$(median "$1" "$2")" -v b="$(median direct "$2")" 'BEGIN { print a - b }'; }
row() { # label, unit, then the three values: nginx, haproxy, why412
  awk -v label="$1" -v unit="$2" -v n="$3" -v h="$4" -v w="$5" 'BEGIN {
    printf "%-40s %12.5g %12.5g %12.5g   %6.2f %6.2f  %s\n", label, n, h, w, h / n, w / n, unit }'
}
printf '%-40s %12s %12s %12s   %6s %6s\n' "medians of $ROUNDS rounds" nginx haproxy why412 h/n w/n
values() { for proxy in "${proxies[@]}"; do "$1" "$proxy" "$2"; done; }
cpu() { awk -v r="$(median "$1" requests_per_cpu_second)" 'BEGIN { print 1000000 / r }'; }
mapfile -t v < <(values median requests_per_cpu_second); row "requests of 1 KB per CPU second" "more is better" "${v[@]}"
mapfile -t v < <(values cpu -);                          row "CPU per request of 1 KB, µs" "less is better" "${v[@]}"
mapfile -t v < <(values median gb_per_cpu_second);       row "GB of 100 MB bodies per CPU second" "more is better" "${v[@]}"
mapfile -t v < <(values added p50);                      row "added latency at $RATE/s, median, µs" "less is better" "${v[@]}"
mapfile -t v < <(values added p99);                      row "added latency at $RATE/s, 99th, µs" "less is better" "${v[@]}"
mapfile -t v < <(values median idle_kb);                 row "memory after the start, KB" "less is better" "${v[@]}"
mapfile -t v < <(values median held_kb);                 row "memory with $IDLE idle connections, KB" "less is better" "${v[@]}"
