//! `why412 demo`: everything in one process, to look at.

use std::process::ExitCode;

use serde_json::json;

use super::CliError;
use super::arguments::DemoArguments;
use super::output::{Output, Tone};
use crate::demo::{self, Addresses, Options};
use crate::lifecycle::RunError;

/// Plays until a signal.
pub(super) fn demo(arguments: &DemoArguments, output: &Output) -> Result<ExitCode, CliError> {
    let options = Options { listen: arguments.listen, admin: arguments.admin, lasting: arguments.lasting };
    let text = |addresses: &Addresses| if arguments.json { as_json(addresses) } else { as_text(addresses, *output) };
    let ended = demo::run(&options, |addresses| output.data(&text(addresses)));
    match ended {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ (RunError::Configuration(_) | RunError::Unusable(_))) => {
            Err(CliError::Configuration(error.to_string()))
        }
        Err(error @ (RunError::Bind { .. } | RunError::Unasked(_) | RunError::Recorder(_) | RunError::System(_))) => {
            Err(CliError::Failed(error.to_string()))
        }
    }
}

fn as_json(at: &Addresses) -> String {
    json!({
        "page": format!("http://{}/", at.outer),
        "inner_page": format!("http://{}/", at.inner),
        "listen": format!("http://{}", at.listen),
        "gateway": format!("http://{}", at.gateway),
        "origin": format!("http://{}", at.origin),
    })
    .to_string()
}

fn as_text(at: &Addresses, output: Output) -> String {
    let page = output.toned(Tone::Strong, &format!("http://{}/", at.outer));
    let Addresses { listen, outer, inner, .. } = at;
    // What needs no address needs none.
    let admin = if outer.port() == 4120 { String::new() } else { format!(" --admin http://{outer}") };
    format!(
        "why412 demo: clients, a gateway that misbehaves, an origin, and a pair of why412 that explains the 412s.

  clients ──► outer why412 ──► gateway ──► inner why412 ──► origin
              {listen}

  Open the page          {page}
  The inner one's page   http://{inner}/

Every story is played once within 45 seconds, then over and over. Look first at the 412s of /orders/: nobody else has
written, and still an editor cannot save what it has read, because the gateway compresses. Take that habit away from
the gateway, on the page or here, and the same editor saves:

  curl -X PUT http://{outer}/api/v1/demo --json '{{\"behaviours\":{{\"gzip-weaken\":false}}}}'

Follow it in another terminal:

  why412 tail{admin}
  why412 exchanges{admin}

Ctrl-C ends it; nothing is left behind."
    )
}
