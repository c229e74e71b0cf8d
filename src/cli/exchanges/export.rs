//! `why412 exchanges export`: one exchange in the words of other tools, to standard output or into a file.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::super::CliError;
use super::super::arguments::{ExportArguments, ExportFormat};
use super::super::client::Client;
use super::super::output::Output;
use super::path_of;

/// Does what the arguments say.
pub(super) fn export(arguments: &ExportArguments, output: Output) -> Result<ExitCode, CliError> {
    let format = arguments.format.unwrap_or(ExportFormat::Json);
    let file = arguments.output.as_deref();
    if format == ExportFormat::Bundle && file.is_none() && output.is_terminal() {
        let says = "an archive is nothing to read on a terminal; write it into a file with --output FILE";
        return Err(CliError::Usage(says.to_owned()));
    }
    let client = Client::new(&arguments.instance, output)?;
    let path = path_of(&client, &arguments.id)?;
    let bytes = match format {
        ExportFormat::Har => client.bytes(&format!("{path}/har"), &[])?,
        ExportFormat::Curl => client.bytes(&format!("{path}/curl"), &[])?,
        ExportFormat::Json => client.bytes(&path, &[])?,
        ExportFormat::Bundle => client.bytes(&format!("{path}/bundle"), &[("as", archive(file).to_owned())])?,
    };
    match file {
        Some(file) => {
            write(file, &bytes)?;
            output.message(&format!("wrote {}", file.display()));
        }
        None if format == ExportFormat::Bundle => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(&bytes)?;
            stdout.flush()?;
        }
        None => output.data(String::from_utf8_lossy(&bytes).trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Which archive a file's name asks for.
fn archive(file: Option<&Path>) -> &'static str {
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().to_ascii_lowercase());
    let is_tar = name.is_some_and(|name| name.ends_with(".tar.gz") || name.ends_with(".tgz"));
    if is_tar { "tar.gz" } else { "zip" }
}

/// Overwrites nothing.
fn write(file: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(bytes));
    written.map_err(|error| {
        CliError::Failed(if error.kind() == io::ErrorKind::AlreadyExists {
            format!("{} is there already and is not overwritten; name another file", file.display())
        } else {
            format!("{}: {error}; name a file that can be written", file.display())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_says_which_archive() {
        let of = |name: &str| archive(Some(Path::new(name)));
        assert_eq!([of("a.zip"), of("a"), of("b/A.TAR.GZ"), of("a.tgz")], ["zip", "zip", "tar.gz", "tar.gz"]);
        assert_eq!(archive(None), "zip");
    }
}
