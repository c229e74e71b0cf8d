//! The arguments of every command.

mod exchanges;
mod help;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(super) use self::exchanges::{ExchangesAction, ExchangesArguments, ExportArguments, ExportFormat, ListArguments};
use super::diagnose::arguments::DiagnoseArguments;
use super::names::Names;
use super::output::ColourChoice;
use crate::analysis::exchange::Role;
use crate::config::{Flags, UpstreamUrl, values};

/// Environment variables that mean something to us.
pub(super) const VARIABLES: [&str; 9] = [
    "WHY412_LISTEN",
    "WHY412_UPSTREAM",
    "WHY412_DIRECT",
    "WHY412_ADMIN",
    "WHY412_ROLE",
    "WHY412_SECRET_FILE",
    "WHY412_CONFIG",
    "WHY412_ADMIN_URL",
    "WHY412_TOKEN_FILE",
];

/// Explains every 412 Precondition Failed: why it happened, who has to act and how to fix it.
#[derive(Debug, Parser)]
#[command(name = "why412", version, max_term_width = 100, after_help = help::ALL, disable_help_flag = true)]
pub(super) struct Arguments {
    /// Print help
    // One help for both: the long form spreads the same words over three times the lines.
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, display_order = 1001)]
    help: Option<bool>,
    /// When to write in colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = true,
        display_order = 1000
    )]
    pub(super) color: ColourChoice,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what it does: an origin, a misbehaving gateway, a pair of instances and clients, all in this process
    #[command(after_help = help::DEMO)]
    Demo(DemoArguments),
    /// Run the proxy
    #[command(after_help = help::RUN)]
    Run(Box<RunArguments>),
    /// Check the configuration and name every fault in it
    #[command(after_help = help::CHECK)]
    Check(Box<CheckArguments>),
    /// Find out why a request is refused, step by step
    #[command(after_help = help::DIAGNOSE)]
    Diagnose(Box<DiagnoseArguments>),
    /// Explain a cause or a hazard; list them all without a name
    #[command(after_help = help::EXPLAIN)]
    Explain(ExplainArguments),
    /// Follow what is recorded, as it happens
    #[command(after_help = help::TAIL)]
    Tail(TailArguments),
    /// List, show and export recorded exchanges
    #[command(after_help = help::EXCHANGES)]
    Exchanges(Box<ExchangesArguments>),
    /// Ask caches in front or behind to let go, for a while
    #[command(after_help = help::BYPASS)]
    Bypass(BypassArguments),
    /// Ask whether an instance is ready; for a container's HEALTHCHECK
    #[command(after_help = help::HEALTHCHECK)]
    Healthcheck(HealthcheckArguments),
    /// Write the script that completes commands, options and names in a shell
    #[command(hide = true, after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages
    #[command(hide = true, after_help = help::MAN)]
    Man {
        /// Write a page for every command into this directory, which is made where it is missing
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// Of `run`.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArguments {
    /// Where clients connect [default: 127.0.0.1:8412]
    #[arg(long, value_name = "ADDR", env = "WHY412_LISTEN", hide_env_values = true, value_parser = values::address)]
    listen: Option<SocketAddr>,
    /// The server that requests go to
    #[arg(long, value_name = "URL", env = "WHY412_UPSTREAM", hide_env_values = true, value_parser = values::upstream_url)]
    upstream: Option<UpstreamUrl>,
    /// The way to it around the gateway, for the bypass
    #[arg(long, value_name = "URL", env = "WHY412_DIRECT", hide_env_values = true, value_parser = values::upstream_url)]
    direct: Option<UpstreamUrl>,
    /// Where the admin API and the page are [default: 127.0.0.1:4120]
    #[arg(long, value_name = "ADDR", env = "WHY412_ADMIN", hide_env_values = true, value_parser = values::address)]
    admin: Option<SocketAddr>,
    /// On which side of a suspect gateway it stands [default: alone]
    #[arg(long, value_enum, env = "WHY412_ROLE", hide_env_values = true)]
    role: Option<RoleArgument>,
    /// The file with the secrets of a pair
    #[arg(long, value_name = "FILE", env = "WHY412_SECRET_FILE", hide_env_values = true)]
    secret_file: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "WHY412_CONFIG", hide_env_values = true)]
    pub(super) config: Option<PathBuf>,
}

impl RunArguments {
    /// What goes before the file.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            listen: self.listen,
            upstream: self.upstream.clone(),
            direct: self.direct.clone(),
            admin: self.admin,
            role: self.role.map(RoleArgument::role),
            secret_file: self.secret_file.clone(),
        }
    }
}

/// Of `demo`.
#[derive(Args, Debug)]
pub(super) struct DemoArguments {
    /// Where clients connect [default: 127.0.0.1:8412, or a free port]
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub(super) listen: Option<SocketAddr>,
    /// Where the page is [default: 127.0.0.1:4120, or a free port]
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub(super) admin: Option<SocketAddr>,
    /// End by itself after this time; without it at Ctrl-C
    #[arg(long = "for", value_name = "DURATION", value_parser = values::duration)]
    pub(super) lasting: Option<Duration>,
    /// Write the addresses as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// On which side of a suspect gateway an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleArgument {
    /// One instance.
    Alone,
    /// On the client side.
    Outer,
    /// On the origin side.
    Inner,
}

impl RoleArgument {
    const fn role(self) -> Role {
        match self {
            Self::Alone => Role::Alone,
            Self::Outer => Role::Outer,
            Self::Inner => Role::Inner,
        }
    }
}

/// Of `check`.
#[derive(Args, Debug)]
pub(super) struct CheckArguments {
    /// What `run` would take.
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// Write JSON: the faults and the warnings
    #[arg(long)]
    pub(super) json: bool,
}

/// Of every command that talks to an instance.
#[derive(Args, Clone, Debug)]
pub(super) struct InstanceArguments {
    /// The admin address of the instance
    #[arg(
        long,
        value_name = "URL",
        env = "WHY412_ADMIN_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:4120",
        value_parser = values::upstream_url
    )]
    pub(super) admin: UpstreamUrl,
    /// The file with the admin token
    #[arg(long, value_name = "FILE", env = "WHY412_TOKEN_FILE", hide_env_values = true)]
    pub(super) token_file: Option<PathBuf>,
}

/// Of `explain`.
#[derive(Args, Debug)]
pub(super) struct ExplainArguments {
    /// The name of a cause or hazard
    #[arg(value_name = "CAUSE|HAZARD", value_parser = Names::Entries, hide_possible_values = true)]
    pub(super) name: Option<String>,
    /// Write JSON, as `GET /api/v1/causes` does
    #[arg(long)]
    pub(super) json: bool,
}

/// Of `healthcheck`.
#[derive(Args, Debug)]
pub(super) struct HealthcheckArguments {
    #[command(flatten)]
    pub(super) instance: InstanceArguments,
    /// Write JSON: whether it is ready, and why not
    #[arg(long)]
    pub(super) json: bool,
}

/// Of `tail`.
#[derive(Args, Debug)]
pub(super) struct TailArguments {
    #[command(flatten)]
    pub(super) instance: InstanceArguments,
    /// Only exchanges of this route
    #[arg(long, value_name = "ROUTE")]
    pub(super) route: Option<String>,
    /// Only 412s of this cause
    #[arg(long, value_name = "CAUSE", value_parser = Names::Causes, hide_possible_values = true)]
    pub(super) cause: Option<String>,
    /// Only those with this hazard
    #[arg(long, value_name = "HAZARD", value_parser = Names::Hazards, hide_possible_values = true)]
    pub(super) hazard: Option<String>,
    /// Only those answered with this status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub(super) status: Option<u16>,
    /// Begin with so many that are recorded already
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(super) last: u16,
    /// Give every attempt of a retry loop a line, on a terminal too
    #[arg(long)]
    pub(super) each: bool,
    /// Write JSON, one record per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Of `bypass`.
#[derive(Args, Debug)]
pub(super) struct BypassArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub(super) action: BypassAction,
}

/// What to do with the bypass.
#[derive(Debug, Subcommand)]
pub(super) enum BypassAction {
    /// Show which are on, how long still, and what they change
    #[command(after_help = help::STATUS)]
    Status {
        #[command(flatten)]
        instance: InstanceArguments,
        /// Write JSON, as the API does
        #[arg(long)]
        json: bool,
    },
    /// Switch one on
    #[command(after_help = help::ON)]
    On {
        #[command(flatten)]
        instance: InstanceArguments,
        /// Only for this route; for all without it
        #[arg(long, value_name = "ROUTE")]
        route: Option<String>,
        /// For how long [default: what [bypass] default says]
        #[arg(long = "for", value_name = "DURATION", value_parser = values::duration)]
        lasting: Option<Duration>,
        /// Send traffic to the direct addresses, around the gateway
        #[arg(long)]
        direct: bool,
        /// Write JSON, as the API does
        #[arg(long)]
        json: bool,
    },
    /// Switch one off, or all
    #[command(after_help = help::OFF)]
    Off {
        #[command(flatten)]
        instance: InstanceArguments,
        /// That of this route; all of them without it
        #[arg(long, value_name = "ROUTE")]
        route: Option<String>,
        /// Write JSON, as the API does
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Option<Command>, clap::Error> {
        Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.command)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_of_run_become_values() {
        let line = "why412 run --listen 127.0.0.1:1 --upstream http://a:2 --direct http://b:3 --admin [::1]:4 --role \
                    inner --secret-file s --config c";
        let Ok(Some(Command::Run(arguments))) = parse(&line.split_whitespace().collect::<Vec<_>>().join(" ")) else {
            panic!("it parses");
        };
        let flags = arguments.flags();
        assert_eq!(flags.listen, Some(([127, 0, 0, 1], 1).into()));
        assert_eq!(flags.upstream.map(|url| url.to_string()).as_deref(), Some("http://a:2"));
        assert_eq!(flags.direct.map(|url| url.to_string()).as_deref(), Some("http://b:3"));
        assert_eq!(flags.admin.map(|address| address.to_string()).as_deref(), Some("[::1]:4"));
        assert_eq!(flags.role, Some(Role::Inner));
        assert_eq!(flags.secret_file, Some("s".into()));
        assert_eq!(arguments.config, Some("c".into()));
    }

    #[test]
    fn wrong_usage_has_a_code_of_its_own() {
        for line in [
            "why412 dance",
            "why412 run --listen nowhere",
            "why412 run --upstream example.com",
            "why412 run --role middle",
            "why412 exchanges export 1",
            "why412 exchanges export 1 --as pdf",
            "why412 exchanges --cause etag-weakend",
            "why412 tail --hazard etag-weakened",
            "why412 tail --status 99",
            "why412 explain no-such-cause",
            "why412 --color sometimes",
            "why412 exchanges --after 1 --before 2",
            "why412 exchanges --limit 0",
            "why412 bypass",
            "why412 bypass on --for 3",
        ] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 2, "{line}");
        }
        assert_eq!(parse("why412 --help").expect_err("help").exit_code(), 0);
    }

    #[test]
    fn every_variable_of_the_environment_is_known() {
        let command = Arguments::command();
        let mut named: Vec<_> = command
            .get_subcommands()
            .flat_map(|sub| sub.get_arguments().chain(sub.get_subcommands().flat_map(clap::Command::get_arguments)))
            .filter_map(|argument| argument.get_env()?.to_str())
            .collect();
        named.sort_unstable();
        named.dedup();
        let mut known = VARIABLES;
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
