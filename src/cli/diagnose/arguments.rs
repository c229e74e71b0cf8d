//! What `why412 diagnose` is asked for, and the request that this makes.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::Method;

use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::config::UpstreamTls;
use crate::diagnose::wire::{Limits, Timeouts, Trust};
use crate::diagnose::{Asked, Means, Target};

/// Of `diagnose`.
#[derive(Args, Debug)]
pub(in crate::cli) struct DiagnoseArguments {
    /// The URL that is answered with 412
    #[arg(value_name = "URL", value_parser = Target::parse)]
    pub(super) url: Target,
    /// The method [default: GET, with data POST]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<Method>,
    /// A field line, such as 'If-Match: "v1"'; 'Name;' is sent empty, 'Name:' not at all
    #[arg(short = 'H', long = "header", value_name = "FIELD", value_parser = field)]
    fields: Vec<(String, Option<String>)>,
    /// The body: text, @FILE, or @- for standard input
    #[arg(short = 'd', long = "data", visible_alias = "data-binary", value_name = "DATA")]
    data: Option<String>,
    /// The way around the gateway: the same resource at another server
    #[arg(long, value_name = "URL", value_parser = Target::parse)]
    direct: Option<Target>,
    /// Send the request itself, once, though it may change something
    #[arg(long)]
    send: bool,
    /// After a 412, send the refreshed request at most N times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(super) retry: Option<u32>,
    /// Retry even where the resource has changed: this may undo somebody else's work
    #[arg(long, requires = "retry")]
    pub(super) overwrite: bool,
    /// Write all that was seen into an archive: .zip, .tar.gz or .tgz
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// Write JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Certificates to trust instead of the system's, in PEM
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Speak HTTP/1.1 where HTTP/2 is offered, too
    #[arg(long = "http1.1")]
    http1: bool,
    /// How long one connection may take to be made
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    connect_timeout: u64,
    /// How long one answer may take to begin
    #[arg(short = 'm', long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    max_time: u64,
}

impl DiagnoseArguments {
    /// The request that is to be diagnosed.
    ///
    /// # Errors
    /// What is wrong with the arguments, and what to write instead.
    pub(super) fn asked(&self) -> Result<Asked, String> {
        let body = self.data.as_deref().map(read).transpose()?;
        let method = self.method.clone().unwrap_or_else(|| if body.is_some() { Method::POST } else { Method::GET });
        if method == Method::CONNECT {
            return Err("CONNECT opens a tunnel, and has no resource that could be diagnosed".to_owned());
        }
        if self.retry.is_some() && !method.is_safe() && !self.send {
            return Err(format!(
                "--retry sends the request again, and {method} may change something; add --send if that is meant"
            ));
        }
        let direct = self.direct.clone().map(|direct| direct.or_target_of(&self.url));
        if direct.as_ref().is_some_and(|direct| direct.server == self.url.server) {
            return Err(
                "--direct names the server of the URL; give the address of the service behind the gateway".to_owned()
            );
        }
        // RFC 9110 §8.6: what means something without a body says that there is none.
        let announces = matches!(method, Method::PUT | Method::POST | Method::PATCH);
        let body = body.or_else(|| announces.then(Bytes::new));
        let fields = self.field_lines(body.as_ref().is_some_and(|body| !body.is_empty()));
        Ok(Asked { url: self.url.clone(), direct, method, fields, body, send: self.send })
    }

    /// The field lines as given, and those that curl would add.
    fn field_lines(&self, has_body: bool) -> Fields {
        let mut fields = Fields::default();
        let is_given = |name: &str| self.fields.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !is_given("User-Agent") {
            fields.push(b"User-Agent", concat!("why412/", env!("CARGO_PKG_VERSION")).as_bytes());
        }
        if !is_given("Accept") {
            fields.push(b"Accept", b"*/*");
        }
        for (name, value) in self.fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            fields.push(name.as_bytes(), value.as_bytes());
        }
        if has_body && !is_given("Content-Type") {
            fields.push(b"Content-Type", b"application/x-www-form-urlencoded");
        }
        fields
    }

    /// With what to ask.
    ///
    /// # Errors
    /// What is wrong with a file of certificates.
    pub(super) fn means(&self) -> Result<Means, String> {
        let https = self.url.server.https || self.direct.as_ref().is_some_and(|direct| direct.server.https);
        let tls = UpstreamTls { ca: self.cacert.clone(), ..UpstreamTls::default() };
        let trust = if https { Some(Trust::new(&tls, "name a file of them with --cacert")?) } else { None };
        let trust = trust.map(|trust| Arc::new(if self.http1 { trust.without_http2() } else { trust }));
        let timeouts = Timeouts {
            connect: Duration::from_secs(self.connect_timeout),
            head: Duration::from_secs(self.max_time),
            ..Timeouts::default()
        };
        Ok(Means { trust, timeouts, limits: Limits::default() })
    }

    /// The lines of the request as the user gave them, with the condition replaced.
    pub(super) fn given(&self, condition: Option<(FieldName, &[u8])>) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for (name, value) in self.fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            let fresh = condition.filter(|(field, _)| FieldName::recognise(name.as_bytes()) == *field);
            let value = fresh.map_or_else(|| value.clone(), |(_, value)| String::from_utf8_lossy(value).into_owned());
            if fresh.is_none() || !lines.iter().any(|(known, _): &(String, String)| known.eq_ignore_ascii_case(name)) {
                lines.push((name.clone(), value));
            }
        }
        lines
    }

    /// The data as it was given.
    pub(super) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

/// A field line as curl takes it.
fn field(text: &str) -> Result<(String, Option<String>), String> {
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    if text.contains(['\r', '\n', '\0']) {
        return Err("a field line has no line ends in it".to_owned());
    }
    if let Some((name, value)) = text.split_once(':').filter(|(name, _)| is_token(name)) {
        let value = value.trim_matches([' ', '\t']);
        return Ok((name.to_owned(), (!value.is_empty()).then(|| value.to_owned())));
    }
    match text.strip_suffix(';').filter(|name| is_token(name)) {
        Some(name) => Ok((name.to_owned(), Some(String::new()))),
        None => Err(format!("{text:?} is no field line; write 'Name: value'")),
    }
}

/// The data that an argument names.
fn read(data: &str) -> Result<Bytes, String> {
    let Some(file) = data.strip_prefix('@') else { return Ok(Bytes::from(data.to_owned())) };
    if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
        return Ok(Bytes::from(bytes));
    }
    std::fs::read(Path::new(file))
        .map(Bytes::from)
        .map_err(|error| format!("{file}: {error}; name a file that can be read after -d @"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_lines_are_taken_as_curl_takes_them() {
        let check = |text: &str, name: &str, value: Option<&str>| {
            assert_eq!(field(text), Ok((name.to_owned(), value.map(str::to_owned))), "{text}");
        };
        check("If-Match: W/\"a:b\"", "If-Match", Some("W/\"a:b\""));
        check("X:y", "X", Some("y"));
        check("X:", "X", None);
        check("X;", "X", Some(""));
        for wrong in ["", "X", ": y", "a b: c", "X: a\r\nY: b"] {
            assert!(field(wrong).is_err(), "{wrong:?}");
        }
    }
}
