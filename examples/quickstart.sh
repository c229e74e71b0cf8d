#!/usr/bin/env bash
# why412 at its job, with nothing made up: a real httpd keeps a document, a real nginx in front of it compresses, a client
# reads the document and saves it with the tag it was given, as it should, and is refused, every time.
#
#   client (curl) ─► nginx, gzip on ─► why412 ─► httpd with WebDAV
#
#   examples/quickstart.sh          everything, then keeps running for your own requests until Ctrl-C
#   examples/quickstart.sh --once   ends after the story
#
# Installs nginx, httpd and curl from Debian's packages if they are missing, without starting their services. Everything
# runs on loopback, on free ports, out of a temporary directory that is removed at the end. WHY412 names a binary to use;
# without it a release build is made.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

tests/setup.sh nginx apache2 curl
if [ -z "${WHY412:-}" ]; then
  echo "Building why412 …" >&2
  cargo build --release --locked --quiet
  WHY412=target/release/why412
fi

directory=$(mktemp -d); children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$directory"
}
trap finish EXIT
trap 'exit 0' INT TERM

free_port() {
  local port
  while :; do
    port=$((12000 + RANDOM % 18000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
wait_for() { # port, name
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "$2 does not start:" >&2; cat "$directory/$2.log" >&2; exit 1
}
httpd_port=$(free_port) nginx_port=$(free_port) why412_port=$(free_port) admin_port=$(free_port)

# The origin: a document on httpd, which may be read and saved.
mkdir -p "$directory/www/orders"
{ printf '{"order":7,"lines":['; printf '{"item":"something","count":1},%.0s' $(seq 40); printf 'null]}\n'; } \
  >"$directory/www/orders/7.json"
touch -d '2024-03-05 10:00:00' "$directory/www/orders/7.json"
user=
if [ "$(id -u)" -eq 0 ]; then user=$'User www-data\nGroup www-data'; chown -R www-data "$directory/www"; fi
chmod 755 "$directory"
cat >"$directory/httpd.conf" <<CONF
ServerRoot $directory
PidFile $directory/httpd.pid
ErrorLog $directory/httpd.log
DefaultRuntimeDir $directory
ServerName origin.test
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so
LoadModule dav_fs_module /usr/lib/apache2/modules/mod_dav_fs.so
$user
TypesConfig /dev/null
AddType application/json .json
DocumentRoot $directory/www
DavLockDB $directory/www/lock
Listen 127.0.0.1:$httpd_port
<Directory $directory/www>
  Dav On
  Require all granted
</Directory>
CONF
apache2 -X -f "$directory/httpd.conf" >>"$directory/httpd.log" 2>&1 & children+=($!)
wait_for "$httpd_port" httpd

# why412, with nothing but its upstream.
"$WHY412" run --listen "127.0.0.1:$why412_port" --admin "127.0.0.1:$admin_port" \
  --upstream "http://127.0.0.1:$httpd_port" >"$directory/why412.log" 2>&1 & children+=($!)
wait_for "$why412_port" why412
wait_for "$admin_port" why412

# The gateway: nginx, compressing JSON.
cat >"$directory/nginx.conf" <<CONF
daemon off; master_process off; pid $directory/nginx.pid; error_log $directory/nginx.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $directory/body; proxy_temp_path $directory/proxy; fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi; scgi_temp_path $directory/scgi;
  gzip on;
  gzip_types application/json;
  server {
    listen 127.0.0.1:$nginx_port;
    location / { proxy_pass http://127.0.0.1:$why412_port; proxy_set_header Host \$http_host; }
  }
}
CONF
start_nginx() {
  nginx -e "$directory/nginx.log" -c "$directory/nginx.conf" >>"$directory/nginx.log" 2>&1 & nginx=$!
  children+=("$nginx")
  wait_for "$nginx_port" nginx
}
start_nginx

# The client. Each command is shown as it is run.
WHY412=$(realpath "$WHY412")
mkdir "$directory/client" && cd "$directory/client"
url=http://127.0.0.1:$nginx_port/orders/7.json
run() {
  printf '\n$'
  local word
  for word in "$@"; do
    case $word in "$WHY412") word=why412 ;; esac
    case $word in *[\ \"\{]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  "$@"
}
fields() { tr -d '\r' | grep -iE '^(HTTP/|ETag|Content-Encoding)' | sed 's/^/  /'; }
save_as_read() {
  local tag
  run curl -s -D head -o document --compressed "$url"
  fields <head
  tag=$(tr -d '\r' <head | sed -n 's/^etag: //Ip')
  run curl -s -D head -o answer -X PUT -H "If-Match: $tag" --data-binary @document "$url"
  fields <head
}
echo "A client reads a document and saves it, with the tag it was given:"
save_as_read
echo
echo "Refused. So it does what the error message tells it, reads again and saves again:"
save_as_read

echo
echo "Nobody has changed the document. This is what why412 says:"
admin=http://127.0.0.1:$admin_port
run "$WHY412" exchanges list --admin "$admin"
last=$(curl -s "$admin/api/v1/exchanges?status=412&limit=1" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1)
run "$WHY412" exchanges show "$last" --admin "$admin"

echo
echo "Its advice, taken: nginx no longer compresses here. The same client, the same two requests:"
kill "$nginx"; wait "$nginx" 2>/dev/null || true
sed -i 's/gzip on;/gzip off;/' "$directory/nginx.conf"
start_nginx
save_as_read

[ "${1:-}" = --once ] && exit 0
cat <<END

Everything keeps running until Ctrl-C:
  through nginx            $url
  records                  $admin/api/v1/exchanges
  metrics                  $admin/metrics
  follow what is refused   $WHY412 tail --admin $admin
END
wait
