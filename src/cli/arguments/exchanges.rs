//! The arguments of `exchanges`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::super::names::Names;
use super::{InstanceArguments, help};

/// Of `exchanges`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct ExchangesArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ExchangesAction>,
    /// Without an action they are listed.
    #[command(flatten)]
    pub(in crate::cli) list: ListArguments,
}

/// What to do with recorded exchanges.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangesAction {
    /// List them, newest first
    #[command(after_help = help::LIST)]
    List(ListArguments),
    /// Show all about one
    #[command(after_help = help::SHOW)]
    Show {
        /// Which instance.
        #[command(flatten)]
        instance: InstanceArguments,
        /// The id of the exchange.
        #[arg(help = ID)]
        id: String,
        /// Write JSON, as the API does
        #[arg(long)]
        json: bool,
    },
    /// Ask for the current validators of one's resource, and judge again
    #[command(after_help = help::PROBE)]
    Probe {
        /// Which instance.
        #[command(flatten)]
        instance: InstanceArguments,
        /// The id of the exchange.
        #[arg(help = ID)]
        id: String,
        /// Write JSON, as the API does
        #[arg(long)]
        json: bool,
    },
    /// Export one
    #[command(after_help = help::EXPORT)]
    Export(ExportArguments),
}

/// Of `exchanges export`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ExportArguments {
    /// Which instance.
    #[command(flatten)]
    pub(in crate::cli) instance: InstanceArguments,
    /// The id of the exchange.
    #[arg(help = ID)]
    pub(in crate::cli) id: String,
    /// As what
    #[arg(long = "as", value_enum, value_name = "FORMAT", required_unless_present = "json")]
    pub(in crate::cli) format: Option<ExportFormat>,
    /// The same as --as json
    #[arg(long, conflicts_with = "format")]
    pub(in crate::cli) json: bool,
    /// Write into this new file; a bundle becomes tar.gz where its name ends so, else zip
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

const ID: &str = "The id of the exchange, or its beginning; or latest, or last-412";

/// Of `exchanges list`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ListArguments {
    /// Which instance.
    #[command(flatten)]
    pub(in crate::cli) instance: InstanceArguments,
    /// Only those of this route
    #[arg(long, value_name = "ROUTE")]
    pub(in crate::cli) route: Option<String>,
    /// Only 412s of this cause
    #[arg(long, value_name = "CAUSE", value_parser = Names::Causes, hide_possible_values = true)]
    pub(in crate::cli) cause: Option<String>,
    /// Only those with this hazard
    #[arg(long, value_name = "HAZARD", value_parser = Names::Hazards, hide_possible_values = true)]
    pub(in crate::cli) hazard: Option<String>,
    /// Only those answered with this status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub(in crate::cli) status: Option<u16>,
    /// Only those of this resource: its URL, or its path and query
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) resource: Option<String>,
    /// Only those that began then or later: a time (RFC 3339), or a duration back from now such as 15m
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<String>,
    /// Only those that began before
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<String>,
    /// Only those with this text, whatever its case, in id, client, URL, a header field, cause or hazard
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) text: Option<String>,
    /// Only those recorded after this one, oldest first
    #[arg(long, value_name = "ID", conflicts_with = "before")]
    pub(in crate::cli) after: Option<String>,
    /// Only those recorded before this one
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) before: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(in crate::cli) limit: u16,
    /// Give every attempt of a retry loop a line
    #[arg(long)]
    pub(in crate::cli) each: bool,
    /// Write JSON, as the API does
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// As what an exchange is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// HTTP Archive, for browsers and proxies
    Har,
    /// A command that sends the request again
    Curl,
    /// The record
    Json,
    /// An archive with everything needed to escalate
    Bundle,
}
