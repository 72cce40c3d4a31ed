//! Tells failures apart, by the types of the errors and never by their texts.

use std::error::Error;
use std::io::{self, ErrorKind};

use labhook::Failure;
use labhook::endpoint::AddressError;

/// Returns why there was no response.
///
/// If in doubt it is [`Failure::Broken`] or [`Failure::Timeout`]: both admit that the receiver may
/// have the message.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    if let Some(error) = refused_address(error) {
        refused(error)
    } else if error.is_builder() {
        Failure::Sender
    } else if error.is_dns() {
        Failure::Dns
    } else if error.is_connect() {
        // Nothing of the message was sent, whatever the cause is.
        causes(error).find_map(connect_failure).unwrap_or(Failure::Connect)
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Broken
    }
}

/// Returns the failure of an attempt to an address that the policy refuses. Nothing was sent.
pub(crate) fn refused(error: &AddressError) -> Failure {
    match error {
        // An endpoint cannot have such a URL.
        AddressError::Url(_) => Failure::Sender,
        _ => Failure::Connect,
    }
}

/// Returns why an address was refused, if that is the cause.
pub(crate) fn refused_address(error: &reqwest::Error) -> Option<&AddressError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn connect_failure(cause: &(dyn Error + 'static)) -> Option<Failure> {
    #[cfg(feature = "tls")]
    if cause.is::<rustls::Error>() {
        return Some(Failure::Tls);
    }
    match cause.downcast_ref::<io::Error>()?.kind() {
        // A TCP handshake has no data: the peer hung up, or said something else, during TLS's.
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Some(Failure::Tls),
        // No free port, no interface, a firewall on this machine.
        ErrorKind::AddrNotAvailable | ErrorKind::NetworkDown | ErrorKind::PermissionDenied => {
            Some(Failure::Sender)
        }
        // No file descriptor is left, in the process or in the system: ENFILE and EMFILE.
        _ => is_out_of_files(cause.downcast_ref()?).then_some(Failure::Sender),
    }
}

fn is_out_of_files(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// Returns the causes of an error. `source` of an [`io::Error`] skips the error that it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
