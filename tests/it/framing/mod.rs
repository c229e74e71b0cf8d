//! Where one message ends and the next begins: what two readers could tell differently goes no further, whoever sent it,
//! and what floods or dawdles harms nobody else.

mod answers;
mod floods;
mod limits;
mod overload;
mod passing;
mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::instance::Instance;
use crate::harness::latin1;
use crate::harness::origin::Origin;

/// An origin that counts the connections on which it was sent anything at all.
struct Untouched {
    origin: Origin,
    touched: Arc<AtomicUsize>,
}

impl Untouched {
    fn new() -> Self {
        let touched = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&touched);
        let origin = Origin::serving(move |wire, _| {
            if wire.exactly(1).is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = wire.try_send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            }
        });
        Self { origin, touched }
    }

    fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }
}

/// What is said on a connection of its own to these bytes, until it is closed.
fn said(instance: &Instance, bytes: &[u8]) -> Result<String, std::io::Error> {
    let mut client = instance.connect().patient_for(Duration::from_secs(2));
    // Whoever is refused early may be closed before all of it was taken.
    let _ = client.try_send(bytes);
    client.rest().map(|said| latin1(&said))
}

/// How many answers with a code of that class were counted.
fn counted(instance: &Instance, class: &str) -> f64 {
    let label = format!("code=\"{class}\"");
    let text = instance.control("GET /metrics").text();
    let lines = text.lines().filter(|line| line.starts_with("why412_requests_total{") && line.contains(&label));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A configuration with everything for one upstream.
fn before(origin: &Origin, more: &str) -> Instance {
    Instance::configured(&format!(
        "{more}\n[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\n",
        origin.address()
    ))
}
