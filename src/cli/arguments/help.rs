//! What the help of each command teaches by example. A test runs every line that begins with `why412`.

pub(super) const ALL: &str = "Examples:
  why412 demo                                  # see it, nothing to set up
  why412 run --upstream http://127.0.0.1:8080  # in front of a server
  why412 tail                                  # what it finds, as it finds it
  why412 exchanges show last-412               # all about the last 412
  why412 explain etag-weakened                 # what it means, how to fix it

Data goes to standard output, messages to standard error. --json writes what the
admin API answers. Exit codes: 0 well, 1 what was asked for failed, 2 wrong usage,
78 invalid configuration at start.
`why412 completions SHELL` writes completions for a shell, `why412 man` the pages.";

pub(super) const DEMO: &str = "Examples:
  why412 demo
  why412 demo --admin 127.0.0.1:9000
  why412 demo --for 1m --json

Everything is on loopback and ends with Ctrl-C. Where the usual addresses are taken,
free ones are used. Exit codes: 0 ended by a signal or by --for, 1 an address that was
asked for is taken.";

pub(super) const RUN: &str = "Examples:
  why412 run --upstream http://127.0.0.1:8080
  why412 run --upstream https://origin.example.com --listen 0.0.0.0:8412
  why412 run --upstream http://127.0.0.1:8080 --role inner --secret-file key
  why412 run --config /etc/why412/why412.toml

Flags go before the environment, the environment before the file, the file before
the defaults. SIGTERM and SIGINT drain and end it, SIGHUP reads the configuration
again. Exit codes: 0 drained, 1 it could not start or was ended at once, 78 the
configuration has faults.";

pub(super) const CHECK: &str = "Examples:
  why412 check --config why412.toml
  why412 check --config why412.toml --json | jq '.faults[].key'

Exit codes: 0 it can be used, 1 it has faults.";

pub(super) const DIAGNOSE: &str = "Examples:
  why412 diagnose http://127.0.0.1:8080/orders/7   # the way that reads take
  why412 diagnose -X PUT -H 'If-Match: W/\"v1\"' -d @order.json http://127.0.0.1:8080/orders/7
  why412 diagnose http://127.0.0.1:8080/orders/7 --direct http://10.0.0.7:8080
  why412 diagnose http://127.0.0.1:8080/orders/7 --bundle case.zip

The second says why a write is refused, and writes nothing: only reads are sent,
and the request itself where its method only reads. --send sends it once. --direct
names the way around the gateway: what is altered in between is then proven, else
suspected. With --send --retry N the refreshed request is sent after a 412, where
the resource is still what its condition named. Fields and data are given as to
curl; data is sent byte for byte, as by --data-binary. No redirect is followed.

Exit codes: 0 nothing wrong found (or the retry succeeded), 1 a problem was found
(or the retry stopped), 2 wrong usage.";

pub(super) const EXPLAIN: &str = "Examples:
  why412 explain                                # the list
  why412 explain etag-suffixed
  why412 explain stale-validator/ignores-new-tag
  why412 explain --json | jq -r '.causes[].id'

Exit codes: 0 well, 2 there is no such name (the nearest are named).";

pub(super) const TAIL: &str = "Examples:
  why412 tail
  why412 tail --last 10 --route orders
  why412 tail --status 412 --json | jq -r '.diagnosis.cause'

It comes back by itself after an interruption, and goes on where it was.
Ctrl-C ends it.
On a terminal the attempts of one retry loop share a line, with ×N.";

pub(super) const EXCHANGES: &str = "Examples:
  why412 exchanges                              # the newest 100: `exchanges list`
  why412 exchanges --cause etag-weakened --limit 20
  why412 exchanges show last-412
  why412 exchanges export latest --as curl";

pub(super) const LIST: &str = "Examples:
  why412 exchanges list --limit 20
  why412 exchanges list --status 412 --resource /orders/7
  why412 exchanges list --hazard precondition-not-enforced
  why412 exchanges list --since 15m --text if-match
  why412 exchanges list --before 01JD0Z…        # those before that one
  why412 exchanges list --json | jq -r '.exchanges[].diagnosis.cause'

The attempts of one retry loop (same client, method, resource, condition and
outcome, at most ten minutes apart) share a line, with ×N; --each gives each its
own, and JSON never folds. On a terminal long URLs are shortened in the middle;
elsewhere values are whole.";

pub(super) const SHOW: &str = "Examples:
  why412 exchanges show 01JD0Z…
  why412 exchanges show last-412
  why412 exchanges show latest --json | jq .diagnosis

Values are shown whole. What differs between two stations is marked with ^ below.";

pub(super) const PROBE: &str = "Examples:
  why412 exchanges probe last-412
  why412 exchanges probe latest --json | jq .probe

The instance asks by GET (HEAD where the route says so), through the path and by the
direct addresses of the upstream, and puts what it learns into the record. It has no
credentials for that; probe_credentials of a route lets the probes that the route
sends by itself carry those of the client.";

pub(super) const EXPORT: &str = "Examples:
  why412 exchanges export 01JD0Z… --as curl
  why412 exchanges export last-412 --as har > exchange.har
  why412 exchanges export latest --json
  why412 exchanges export last-412 --as bundle --output exchange.zip

Secrets are hidden in all of them.";

pub(super) const BYPASS: &str = "Examples:
  why412 bypass on --for 30m                    # for all routes
  why412 bypass on --route default
  why412 bypass status
  why412 bypass off --route default
  why412 bypass off                             # all of them

While it is on, requests carry Cache-Control: no-cache and Pragma: no-cache (role
alone or outer) and answers no-store (role alone or inner), so that caches let go.
Conditions and validators stay as they are.";

pub(super) const STATUS: &str = "Examples:
  why412 bypass status
  why412 bypass status --json | jq -r '.bypasses[].until'";

pub(super) const ON: &str = "Examples:
  why412 bypass on
  why412 bypass on --route default --for 30m";

pub(super) const OFF: &str = "Examples:
  why412 bypass off
  why412 bypass off --route default";

pub(super) const HEALTHCHECK: &str = "Examples:
  why412 healthcheck
  why412 healthcheck --json

Exit codes: 0 ready, 1 not ready or not there.";

pub(super) const COMPLETIONS: &str = "Examples:
  why412 completions bash > why412   # ~/.local/share/bash-completion/completions/
  why412 completions zsh > _why412   # into a directory of $fpath
  why412 completions fish > why412.fish   # ~/.config/fish/completions/";

pub(super) const MAN: &str = "Examples:
  why412 man > why412.1      # of why412 itself
  why412 man --output man1   # of every command; man -l man1/why412-run.1";
