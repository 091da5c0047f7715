//! The certificate authorities that the administrator adds to the system's.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The certificate authorities that the administrator adds to the system's.
#[derive(Default)]
pub(crate) struct Authorities(Vec<CertificateDer<'static>>);

/// A file of authorities that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("{} can't be read", .0.display())]
    Unreadable(PathBuf, #[source] rustls::pki_types::pem::Error),
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    #[error("{} holds a certificate that can't be used", .0.display())]
    Unusable(PathBuf, #[source] rustls::Error),
}

impl Authorities {
    /// Reads PEM files, each of which must hold at least one usable certificate.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, AuthorityError> {
        let mut all = Vec::new();
        for file in files {
            let read = Self::read_file(file)?;
            if read.is_empty() {
                return Err(AuthorityError::Empty(file.clone()));
            }
            all.extend(read);
        }
        Ok(Self(all))
    }

    /// Adds them to what is trusted.
    pub(crate) fn add_to(&self, roots: &mut RootCertStore) -> Result<(), String> {
        for certificate in &self.0 {
            roots.add(certificate.clone()).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn read_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
        let unreadable = |e| AuthorityError::Unreadable(file.to_owned(), e);
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
            .map_err(unreadable)?
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let mut scratch = RootCertStore::empty();
        for certificate in &certificates {
            scratch
                .add(certificate.clone())
                .map_err(|e| AuthorityError::Unusable(file.to_owned(), e))?;
        }
        Ok(certificates)
    }
}
