//! Files that hold secrets, and PEM files: read while checking, so that what is missing shows at once.

use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Secret;
use super::fault::{Place, Wrong};
use super::file::Document;

/// The fewest bytes of a secret that a pair shares: as many as the MAC has.
const PAIR_SECRET_BYTES_MIN: usize = 32;

/// A token in a file of its own.
pub(super) fn token(document: &Document<'_>, place: &Place, path: &Path) -> Option<Secret> {
    let content = read(document, place, path)?;
    warn_if_readable(document, place, path);
    let token = content.trim_ascii();
    if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
        let says = format!("{} holds no token of visible ASCII characters", path.display());
        document
            .fault(place, Wrong::new(says, "write one line, such as the output of `openssl rand -hex 32`, into it"));
        return None;
    }
    Some(Secret::new(token.to_vec()))
}

/// The secrets of a pair, one per line; the first signs.
pub(super) fn pair_secrets(document: &Document<'_>, place: &Place, path: &Path) -> Vec<Secret> {
    let Some(content) = read(document, place, path) else { return Vec::new() };
    warn_if_readable(document, place, path);
    let lines: Vec<&[u8]> =
        content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect();
    let remedy = "write one secret per line, such as the output of `openssl rand -hex 32`, into it";
    if lines.is_empty() {
        document.fault(place, Wrong::new(format!("{} holds no secret", path.display()), remedy));
    }
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.len() < PAIR_SECRET_BYTES_MIN) {
        let says = format!(
            "secret {} in {} has {} bytes, fewer than {PAIR_SECRET_BYTES_MIN}",
            index + 1,
            path.display(),
            line.len()
        );
        document.fault(place, Wrong::new(says, remedy));
    }
    lines.into_iter().map(|line| Secret::new(line.to_vec())).collect()
}

/// A PEM file with at least one certificate.
pub(super) fn certificates(document: &Document<'_>, place: &Place, path: PathBuf) -> Option<PathBuf> {
    let content = read(document, place, &path)?;
    let count = CertificateDer::pem_slice_iter(&content).filter(Result::is_ok).count();
    if count == 0 {
        let says = format!("{} holds no certificate", path.display());
        document.fault(place, Wrong::new(says, "name a PEM file with at least one CERTIFICATE in it"));
        return None;
    }
    Some(path)
}

/// A PEM file with a private key.
pub(super) fn private_key(document: &Document<'_>, place: &Place, path: PathBuf) -> Option<PathBuf> {
    let content = read(document, place, &path)?;
    warn_if_readable(document, place, &path);
    if PrivateKeyDer::from_pem_slice(&content).is_err() {
        let says = format!("{} holds no private key", path.display());
        document.fault(place, Wrong::new(says, "name a PEM file with an unencrypted PRIVATE KEY in it"));
        return None;
    }
    Some(path)
}

fn read(document: &Document<'_>, place: &Place, path: &Path) -> Option<Vec<u8>> {
    document.uses(path);
    match fs::read(path) {
        Ok(content) => Some(content),
        Err(error) => {
            let says = format!("{} cannot be read: {error}", path.display());
            document.fault(place, Wrong::new(says, "name a file that this user may read"));
            None
        }
    }
}

#[cfg(unix)]
fn warn_if_readable(document: &Document<'_>, place: &Place, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let others = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0);
    if others {
        let says = format!("{} can be read by others than its owner", path.display());
        document.warn(place, Wrong::new(says, format!("run `chmod 600 {}`", path.display())));
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_: &Document<'_>, _: &Place, _: &Path) {}
