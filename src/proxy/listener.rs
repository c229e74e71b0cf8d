//! Connections are accepted in one place and handed to the thread with the fewest; each thread carries its own to
//! their end.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::LocalSet;

use super::Shared;
use super::client::poll_once;
use super::connection;
use super::health;
use super::worker::{AllThreads, Worker};
use crate::analysis::time::Time;
use crate::clock;
use crate::recorder::metrics::{ConnectionRefused, Side};

/// How far the data plane is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// What is in flight finishes until then.
    Draining(Time),
    Aborted,
}

/// The data plane at work.
#[derive(Debug)]
pub struct Running {
    phase: watch::Sender<Phase>,
    /// Taken once, by whoever waits; held for that alone.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Running {
    /// Stops accepting; what is in flight finishes, for at most `deadline`.
    pub fn drain(&self, deadline: Duration) {
        let until = clock::now().plus(deadline);
        self.phase.send_if_modified(|phase| {
            let begins = *phase == Phase::Running;
            if begins {
                *phase = Phase::Draining(until);
            }
            begins
        });
    }

    /// Ends everything at once.
    pub fn abort(&self) {
        self.phase.send_replace(Phase::Aborted);
    }

    /// Waits until every thread has ended.
    pub fn wait(self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the data plane has panicked");
            }
        }
    }
}

/// A connection on its way to the thread that carries it.
struct Handed {
    stream: std::net::TcpStream,
    address: SocketAddr,
}

/// A thread, as the acceptor sees it.
struct Seat {
    connections: mpsc::Sender<Handed>,
    load: Arc<AtomicUsize>,
}

/// How many connections may be on their way to one thread.
const HANDED_MOST: usize = 1024;

/// Starts the acceptor and the threads that carry exchanges.
///
/// # Errors
/// A thread or its runtime cannot be made.
pub fn start(listener: std::net::TcpListener, shared: Arc<Shared>) -> io::Result<Running> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (phase, watched) = watch::channel(Phase::Running);
    let configured = shared.snapshot.load().config.limits.threads;
    let count = configured.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let all = Arc::new(AllThreads::default());
    let mut threads = Vec::new();
    let mut seats = Vec::new();
    for number in 0..count.max(1) {
        let (connections, handed) = mpsc::channel(HANDED_MOST);
        let load = Arc::new(AtomicUsize::new(0));
        seats.push(Seat { connections, load: Arc::clone(&load) });
        let (shared, all, watched) = (Arc::clone(&shared), Arc::clone(&all), watched.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(format!("proxy-{number}"));
        threads.push(thread.spawn(move || {
            let worker = Rc::new(Worker::new(shared, address, &all));
            LocalSet::new().block_on(&runtime, work(worker, handed, load, watched));
        })?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("health".to_owned());
    let (asking, until) = (Arc::clone(&shared), watched.clone());
    threads.push(thread.spawn(move || {
        let worker = Rc::new(Worker::new(asking, address, &all));
        LocalSet::new().block_on(&runtime, health::watch(worker, until));
    })?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("accept".to_owned());
    threads.push(thread.spawn(move || runtime.block_on(accept(listener, &seats, &shared, watched)))?);
    Ok(Running { phase, threads: Mutex::new(threads) })
}

/// How long accepting pauses when the system has no descriptor or memory left.
const PAUSE: Duration = Duration::from_millis(100);

async fn accept(listener: std::net::TcpListener, seats: &[Seat], shared: &Shared, mut phase: watch::Receiver<Phase>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the listener cannot be used");
            return;
        }
    };
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.changed() => return accept_the_last(&listener, seats, shared).await,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => hand_over(stream, address, seats, shared),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What the system has accepted for us before we stopped is still served. A flood does not keep us from ending.
async fn accept_the_last(listener: &TcpListener, seats: &[Seat], shared: &Shared) {
    // The event loop hears of what has come.
    tokio::task::yield_now().await;
    for _ in 0..HANDED_MOST {
        match poll_once(|cx| listener.poll_accept(cx)).await {
            Poll::Ready(Ok((stream, address))) => hand_over(stream, address, seats, shared),
            Poll::Ready(Err(_)) | Poll::Pending => return,
        }
    }
}

/// The client was gone before it was accepted; the next one may be well.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn hand_over(stream: TcpStream, address: SocketAddr, seats: &[Seat], shared: &Shared) {
    let open: usize = seats.iter().map(|seat| seat.load.load(Ordering::Relaxed)).sum();
    let least = seats.iter().min_by_key(|seat| seat.load.load(Ordering::Relaxed));
    let (true, Some(seat)) = (open < shared.snapshot.load().config.limits.connections, least) else {
        // One too many: told so where it can be, and closed, so that the client learns at once.
        shared.recorder.metrics().connection_refused(ConnectionRefused::Limit);
        return connection::turn_away(&stream, shared);
    };
    let Ok(stream) = stream.into_std() else { return };
    seat.load.fetch_add(1, Ordering::Relaxed);
    if seat.connections.try_send(Handed { stream, address }).is_err() {
        seat.load.fetch_sub(1, Ordering::Relaxed);
        shared.recorder.metrics().request_refused(503);
    }
}

/// A thread, as it sees itself.
#[derive(Clone)]
struct Carrier {
    worker: Rc<Worker>,
    /// The connections it carries.
    load: Arc<AtomicUsize>,
    /// Says when one of them is gone.
    gone: Rc<Notify>,
}

impl Carrier {
    /// Carries a connection to its end, beside the others.
    fn carry(&self, stream: std::net::TcpStream, address: SocketAddr) {
        self.worker.shared.recorder.metrics().connection_opened(Side::Client);
        let carried = Carried(self.clone());
        if let Ok(stream) = TcpStream::from_std(stream) {
            tokio::task::spawn_local(async move {
                connection::carry(Rc::clone(&carried.0.worker), stream, address).await;
            });
        }
    }
}

/// Counts a client's connection while it lasts.
struct Carried(Carrier);

impl Drop for Carried {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Ordering::Relaxed);
        self.0.worker.shared.recorder.metrics().connection_closed(Side::Client);
        self.0.gone.notify_one();
    }
}

async fn work(
    worker: Rc<Worker>,
    mut handed: mpsc::Receiver<Handed>,
    load: Arc<AtomicUsize>,
    mut phase: watch::Receiver<Phase>,
) {
    let carrier = Carrier { worker, load, gone: Rc::new(Notify::new()) };
    loop {
        let Handed { stream, address } = tokio::select! {
            biased;
            _ = phase.changed() => break,
            handed = handed.recv() => match handed {
                Some(handed) => handed,
                // The acceptor ends when draining begins, and may be the first to learn of it.
                None => {
                    let _ = phase.changed().await;
                    break;
                }
            },
        };
        carrier.carry(stream, address);
    }
    drain(&carrier, handed, phase).await;
}

/// Lets what is in flight finish. What is left after that is dropped with the thread's tasks.
async fn drain(carrier: &Carrier, mut handed: mpsc::Receiver<Handed>, mut phase: watch::Receiver<Phase>) {
    carrier.worker.begin_draining();
    // The acceptor ends by itself, after the last connection.
    while let Some(Handed { stream, address }) = handed.recv().await {
        carrier.carry(stream, address);
    }
    loop {
        let now = *phase.borrow_and_update();
        let until = match now {
            Phase::Aborted | Phase::Running => return,
            Phase::Draining(until) => clock::instant(until),
        };
        if carrier.load.load(Ordering::Relaxed) == 0 {
            return;
        }
        tokio::select! {
            () = carrier.gone.notified() => {}
            () = tokio::time::sleep_until(until) => return,
            _ = phase.changed() => {}
        }
    }
}
