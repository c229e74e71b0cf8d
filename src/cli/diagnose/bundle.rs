//! Everything needed to escalate, in one archive: what was asked and answered by both ways, the verdict, and how to send
//! it again. All of it redacted.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::analysis::semantics::fields::Fields;
use crate::diagnose::{Asked, Observed, Step, Way};
use crate::recorder::export::bundle::Bundle;
use crate::recorder::export::{curl, har};
use crate::recorder::record::{HeaderLines, Record, RequestRecord, ResponseRecord, TimingRecord, time_text};
use crate::recorder::redact::{Redaction, latin1};

/// The file, made before anything is sent, so that a run is not lost for want of a place to write.
pub(super) struct Place {
    path: PathBuf,
    file: File,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    Zip,
    TarGz,
}

impl Place {
    /// Makes the file.
    ///
    /// # Errors
    /// Why it cannot be, and what to do.
    pub(super) fn make(path: &Path) -> Result<Self, String> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let format = if name.ends_with(".zip") {
            Format::Zip
        } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            Format::TarGz
        } else {
            return Err(format!("{}: name a file that ends in .zip, .tar.gz or .tgz", path.display()));
        };
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Self { path: path.to_path_buf(), file, format }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(format!("{} is there already and is not overwritten; name another file", path.display()))
            }
            Err(error) => Err(format!("{}: {error}; name a file that can be written", path.display())),
        }
    }

    /// Fills it.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(super) fn write(mut self, bundle: &Bundle) -> Result<(), String> {
        let bytes = match self.format {
            Format::Zip => bundle.zip(),
            Format::TarGz => bundle.tar_gz(),
        };
        self.file.write_all(&bytes).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// What is in the archive. `text` is what people were shown, secrets hidden.
pub(super) fn of(asked: &Asked, observed: &Observed, json: &Value, text: &str, redaction: &Redaction) -> Bundle {
    let records: Vec<Record> =
        (1..).zip(&observed.steps).map(|(number, step)| record(number, step, redaction)).collect();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let mut bundle = Bundle::new();
    bundle.within("why412-diagnose");
    bundle.add("verdict.txt", text.as_bytes());
    bundle.add("diagnose.json", pretty(json));
    bundle.add("exchanges.har", pretty(&har::archive_of(&records.iter().collect::<Vec<_>>())));
    bundle.add("timeline.txt", timeline(observed, &records));
    bundle.add("request.curl.sh", curl::command(&asked_record(asked, redaction)));
    bundle.add("about.txt", about(asked, redaction));
    bundle
}

fn about(asked: &Asked, redaction: &Redaction) -> String {
    let direct = asked.direct.as_ref().map_or_else(|| "not given".to_owned(), crate::diagnose::Target::url);
    format!(
        "why412 {} diagnosed {} {}\nThe way around the gateway: {}\nSecrets are hidden (…).\n\n\
         verdict.txt      what was found, for people\ndiagnose.json    the same for programs, with every exchange\n\
         exchanges.har    every exchange, for browsers and proxies (HTTP Archive)\n\
         timeline.txt     every exchange in order, by both ways\nrequest.curl.sh  the request as given\n",
        env!("CARGO_PKG_VERSION"),
        asked.method,
        redaction.text(&asked.url.url()),
        redaction.text(&direct),
    )
}

fn timeline(observed: &Observed, records: &[Record]) -> String {
    let mut text = String::new();
    for (step, record) in observed.steps.iter().zip(records) {
        let outcome = match &step.result {
            Ok(answer) => answer.head.status.to_string(),
            Err(failure) => failure.to_string(),
        };
        let line = |lines: &HeaderLines, wanted: &str| {
            let values = lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            values.map(|(name, value)| format!(" | {name}: {value}")).collect::<String>()
        };
        let sent: String = [
            "if-match",
            "if-none-match",
            "if-modified-since",
            "if-unmodified-since",
            "accept-encoding",
            "cache-control",
        ]
        .iter()
        .map(|name| line(&record.request.headers, name))
        .collect();
        let got: String = record
            .response
            .iter()
            .map(|response| {
                ["etag", "last-modified", "content-encoding", "age", "server", "via"]
                    .iter()
                    .map(|name| line(&response.headers, name))
                    .collect::<String>()
            })
            .collect();
        let (method, url) = (&record.request.method, &record.request.url);
        text.push_str(&format!("{} {:<6} {method} {url}{sent} -> {outcome}{got}\n", record.at, step.way.as_str()));
    }
    text
}

/// A step as exports take it.
fn record(number: usize, step: &Step, redaction: &Redaction) -> Record {
    let request = &step.request;
    let authority = latin1(&request.authority);
    let url = url(step);
    let answer = step.result.as_ref().ok();
    let version = answer.map_or("HTTP/1.1", |answer| answer.head.version.as_str());
    let mut headers = vec![("Host".to_owned(), authority)];
    headers.extend(lines(&request.fields, redaction));
    if let Some(body) = &request.body {
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let mut made = empty(step.at, &request.method, redaction.text(&url).into_owned(), version, headers);
    made.id = format!("{number:02}");
    made.route = format!("{}:{}", step.way.as_str(), step.kind.as_str());
    made.response = answer.map(|answer| ResponseRecord {
        status: answer.head.status,
        version: version.to_owned(),
        headers: lines(&answer.head.fields, redaction),
    });
    if let Some(answer) = answer {
        made.timing_us = TimingRecord { total: micros(answer.took), upstream: micros(answer.waited), inspection: 0 };
    }
    made
}

/// Where a request went: around the gateway its Host is still that of the URL, but not its server.
pub(super) fn url(step: &Step) -> String {
    let request = &step.request;
    let scheme = if request.to.https { "https" } else { "http" };
    let target = latin1(&request.target);
    match step.way {
        Way::Through => format!("{scheme}://{}{target}", latin1(&request.authority)),
        Way::Direct => format!("{}{target}", request.to),
    }
}

fn asked_record(asked: &Asked, redaction: &Redaction) -> Record {
    let mut headers = lines(&asked.fields, redaction);
    if let Some(body) = &asked.body {
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let url = redaction.text(&asked.url.url()).into_owned();
    empty(crate::clock::now(), &asked.method, url, "HTTP/1.1", headers)
}

fn empty(
    at: crate::analysis::time::Time,
    method: &http::Method,
    url: String,
    version: &str,
    headers: HeaderLines,
) -> Record {
    Record {
        id: String::new(),
        at: time_text(at),
        amended_at: None,
        instance: "diagnose".to_owned(),
        role: "client".to_owned(),
        route: String::new(),
        client: String::new(),
        request: RequestRecord {
            method: method.to_string(),
            url,
            version: version.to_owned(),
            forwarded_headers: headers.clone(),
            headers,
        },
        response: None,
        far_side: None,
        diagnosis: None,
        hazards: Vec::new(),
        alterations: Vec::new(),
        current: None,
        bypass: None,
        probe: None,
        repeated: None,
        timing_us: TimingRecord { total: 0, upstream: 0, inspection: 0 },
    }
}

/// The lines of a message as anybody may see them.
pub(super) fn lines(fields: &Fields, redaction: &Redaction) -> HeaderLines {
    fields.iter().filter_map(|line| Some((latin1(line.name_bytes), redaction.line(line)?))).collect()
}
