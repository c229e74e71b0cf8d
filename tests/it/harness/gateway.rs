//! Real gateways, from Debian's packages, as children in the foreground.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::ports::free_address;
use super::within;

/// A running gateway. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Gateway {
    /// Debian's nginx as a reverse proxy; `http` goes into its http block, `location` into the location that proxies.
    pub(crate) fn nginx(http: &str, location: &str, upstream: SocketAddr) -> Self {
        Self::nginx_server(
            &format!("{http} upstream behind {{ server {upstream}; keepalive 8; }}"),
            "",
            &format!("location / {{ proxy_pass http://behind; proxy_set_header Host $http_host; {location} }}"),
        )
    }

    /// Debian's nginx with one server, which listens with these options.
    pub(crate) fn nginx_server(http: &str, listen: &str, server: &str) -> Self {
        Self::start("nginx", |directory, address| {
            let config = format!(
                "worker_processes 1; daemon off; master_process off; pid {d}/pid; error_log {d}/log;
                 events {{ worker_connections 256; }}
                 http {{
                   access_log off; default_type text/html; types {{ }}
                   client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/fastcgi;
                   uwsgi_temp_path {d}/uwsgi; scgi_temp_path {d}/scgi;
                   {http}
                   server {{ listen {address} {listen}; {server} }}
                 }}",
                d = directory.display()
            );
            fs::write(directory.join("nginx.conf"), config).expect("writing the configuration");
            let mut command = Command::new(program("nginx"));
            command.arg("-p").arg(directory).arg("-e").arg(directory.join("log"));
            command.arg("-c").arg(directory.join("nginx.conf"));
            command
        })
    }

    /// Debian's httpd as a reverse proxy with these modules and directives.
    pub(crate) fn httpd(modules: &[&str], directives: &str, upstream: SocketAddr) -> Self {
        Self::start("apache2", |directory, address| {
            let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
                .iter()
                .chain(modules)
                .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
                .collect();
            let config = format!(
                "ServerRoot {d}\nPidFile {d}/pid\nErrorLog {d}/log\nDefaultRuntimeDir {d}\nServerName gateway.test\n\
                 {modules}Listen {address}\nProxyPreserveHost On\nProxyPass / http://{upstream}/\n{user}{directives}\n",
                user = httpd_user(),
                d = directory.display()
            );
            fs::write(directory.join("httpd.conf"), config).expect("writing the configuration");
            let mut command = Command::new(program("apache2"));
            // One process, in the foreground.
            command.args(["-X", "-d"]).arg(directory).arg("-f").arg(directory.join("httpd.conf"));
            command
        })
    }

    /// Debian's httpd as a WebDAV server of its own, at the root.
    pub(crate) fn webdav() -> Self {
        Self::start("apache2", |directory, address| {
            let modules: String = ["mpm_event", "authz_core", "dav", "dav_fs"]
                .iter()
                .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
                .collect();
            let config = format!(
                "ServerRoot {d}\nPidFile {d}/pid\nErrorLog {d}/log\nDefaultRuntimeDir {d}\nServerName dav.test\n\
                 {modules}Listen {address}\nDocumentRoot {d}/root\nDavLockDB {d}/lock/db\n{user}\
                 <Directory {d}/root>\nDav On\nRequire all granted\n</Directory>\n",
                user = httpd_user(),
                d = directory.display()
            );
            for part in ["root", "lock"] {
                let part = directory.join(part);
                fs::create_dir(&part).expect("a directory for what is stored");
                // httpd writes as the user that its configuration names.
                fs::set_permissions(&part, fs::Permissions::from_mode(0o777)).expect("a directory of ours");
            }
            fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("a directory of ours");
            fs::write(directory.join("httpd.conf"), config).expect("writing the configuration");
            let mut command = Command::new(program("apache2"));
            command.args(["-X", "-d"]).arg(directory).arg("-f").arg(directory.join("httpd.conf"));
            command
        })
    }

    /// Debian's HAProxy as a reverse proxy with these directives.
    pub(crate) fn haproxy(directives: &str, upstream: SocketAddr) -> Self {
        Self::start("haproxy", |directory, address| {
            let config = format!(
                "global\n  nbthread 1\n\
                 defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n\
                 cache pages\n  total-max-size 4\n  max-age 60\n\
                 listen gateway\n  bind {address}\n  {directives}\n  server behind {upstream}\n"
            );
            fs::write(directory.join("haproxy.cfg"), config).expect("writing the configuration");
            let mut command = Command::new(program("haproxy"));
            command.arg("-db").arg("-f").arg(directory.join("haproxy.cfg"));
            command
        })
    }

    /// Debian's Varnish with these subroutines before the built-in ones.
    pub(crate) fn varnish(subroutines: &str, upstream: SocketAddr) -> Self {
        Self::start("varnishd", |directory, address| {
            let vcl = format!(
                "vcl 4.1; backend default {{ .host = \"{}\"; .port = \"{}\"; }}\n{subroutines}\n",
                upstream.ip(),
                upstream.port()
            );
            fs::write(directory.join("default.vcl"), vcl).expect("writing the configuration");
            let mut command = Command::new(program("varnishd"));
            command.args(["-F", "-j", "none", "-s", "malloc,16m", "-a", &address.to_string()]);
            command.arg("-n").arg(directory.join("work")).arg("-f").arg(directory.join("default.vcl"));
            command
        })
    }

    fn start(name: &str, configure: impl Fn(&Path, SocketAddr) -> Command) -> Self {
        let mut said = String::new();
        for _ in 0..3 {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let address = free_address();
            let mut command = configure(directory.path(), address);
            let output = fs::File::create(directory.path().join("output")).expect("a file for the output");
            command.stdin(Stdio::null()).stdout(output.try_clone().expect("a file")).stderr(output);
            let child = command.spawn().unwrap_or_else(|fault| panic!("{name} does not start: {fault}"));
            let mut gateway = Self { child, address, _directory: directory };
            let listens = within(super::PATIENCE, || match gateway.child.try_wait().expect("a child of ours") {
                Some(_) => Some(false),
                None => TcpStream::connect(address).is_ok().then_some(true),
            });
            if listens == Some(true) {
                return gateway;
            }
            let read = |file| fs::read_to_string(gateway._directory.path().join(file)).unwrap_or_default();
            said = format!("{}{}", read("output"), read("log"));
        }
        panic!("{name} does not start:\n{said}");
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a server's program is; not every user has `/usr/sbin` in the path.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = places.map(|place: PathBuf| place.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; `tests/setup.sh` installs what the tests need"))
}

/// Root must name another user, or httpd refuses to serve.
fn httpd_user() -> &'static str {
    let output = Command::new("id").arg("-u").output().expect("every system has it");
    if output.stdout == b"0\n" { "User www-data\nGroup www-data\n" } else { "" }
}
