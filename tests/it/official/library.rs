//! The libraries, the schemes that they speak, and what they cannot do.

use labhook::signature::{CustomScheme, Scheme, VerifyError};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};

use super::driver::Headers;
use super::install::Language;

/// A scheme under the name of the vendor that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    StandardWebhooks,
    Svix,
    Stripe,
    GitHub,
    Slack,
    Line,
}

/// How a header has signatures: the separator of a list, the prefix of a signature, and whether it
/// is base64 and not hexadecimal.
pub(super) struct SignatureForm {
    pub(super) separator: Option<char>,
    pub(super) prefix: &'static str,
    pub(super) is_base64: bool,
}

impl Vendor {
    fn scheme(self) -> Scheme {
        match self {
            Self::StandardWebhooks => Scheme::StandardWebhooks,
            Self::Svix => Scheme::Svix,
            Self::Stripe => Scheme::CustomScheme(CustomScheme::STRIPE),
            Self::GitHub => Scheme::CustomScheme(CustomScheme::GITHUB),
            Self::Slack => Scheme::CustomScheme(CustomScheme::SLACK),
            Self::Line => Scheme::CustomScheme(CustomScheme::LINE),
        }
    }

    pub(super) const fn form(self) -> SignatureForm {
        let (separator, prefix, is_base64) = match self {
            Self::StandardWebhooks | Self::Svix => (Some(' '), "v1,", true),
            Self::Stripe => (Some(','), "v1=", false),
            Self::GitHub => (None, "sha256=", false),
            Self::Slack => (None, "v0=", false),
            Self::Line => (None, "", true),
        };
        SignatureForm { separator, prefix, is_base64 }
    }

    pub(super) const fn has_id(self) -> bool {
        matches!(self, Self::StandardWebhooks | Self::Svix)
    }

    pub(super) const fn has_time(self) -> bool {
        !matches!(self, Self::GitHub | Self::Line)
    }

    pub(super) const fn has_list(self) -> bool {
        self.form().separator.is_some()
    }

    /// Returns whether secrets are `whsec_` text, and not text that is used unchanged.
    pub(super) const fn has_whsec(self) -> bool {
        matches!(self, Self::StandardWebhooks | Self::Svix)
    }

    fn secret(self, text: &str) -> Secret {
        let secret =
            if self.has_whsec() { Secret::from_whsec(text) } else { Secret::from_text(text) };
        secret.unwrap()
    }

    pub(super) fn sign(self, secrets: &[String], id: &MessageId, at: i64, body: &[u8]) -> Headers {
        let mut secrets = secrets.iter().map(|text| self.secret(text));
        let first = Signer::new(self.scheme(), secrets.next().unwrap()).unwrap();
        let signer = secrets.fold(first, Signer::add_secret);
        let headers = signer.sign(id, Timestamp::from_unix_seconds(at), body).unwrap();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    /// Verifies a request, and returns the index of the secret that matched.
    pub(super) fn verify(
        self,
        secrets: &[String],
        headers: &Headers,
        body: &[u8],
        now: i64,
    ) -> Result<usize, VerifyError> {
        let mut secrets = secrets.iter().map(|text| self.secret(text));
        let first = Verifier::new(self.scheme(), secrets.next().unwrap()).unwrap();
        let verifier = secrets.fold(first, Verifier::add_secret);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let verified = verifier.verify(&headers, body, Timestamp::from_unix_seconds(now))?;
        assert_eq!(verified.body(), body);
        Ok(verified.key_index())
    }
}

/// What a library cannot do although its scheme can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    /// It refuses a body that is not UTF-8.
    NotUtf8,
    /// It refuses an empty body.
    Empty,
    /// It refuses a body with a byte order mark at its start.
    ByteOrderMark,
    /// It accepts a time that is too far ahead.
    Ahead,
    /// It accepts other bytes instead of a replacement character (U+FFFD).
    Replaced,
}

impl Limit {
    /// Those that a message has by its body.
    pub(super) const OF_BODIES: [Self; 3] = [Self::NotUtf8, Self::Empty, Self::ByteOrderMark];

    /// Messages that meet the limit.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Empty => "empty",
            Self::ByteOrderMark => "with a byte order mark",
            Self::Ahead => "from too far ahead",
            Self::Replaced => "with 0xFF instead of U+FFFD",
        }
    }

    /// What becomes of them.
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::NotUtf8 | Self::Empty | Self::ByteOrderMark => "refused by it",
            Self::Ahead | Self::Replaced => "accepted by it, refused by ours",
        }
    }
}

/// A published library.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) name: &'static str,
    pub(super) language: Language,
    pub(super) vendor: Vendor,
    /// Whether its verifier takes several secrets.
    pub(super) takes_secrets: bool,
    /// Whether it can sign. Otherwise the driver does, as the vendor's page describes.
    pub(super) signs: bool,
    /// What it cannot do, and why.
    pub(super) limits: &'static [(Limit, &'static str)],
}

const DECODED: (Limit, &str) = (Limit::NotUtf8, "it decodes the body, and signs the text");
const LOSSY: (Limit, &str) = (Limit::Replaced, "it decodes the body with replacement characters");
const PAST_ONLY: (Limit, &str) = (Limit::Ahead, "it compares only the age");

impl Library {
    const fn new(language: Language, name: &'static str, vendor: Vendor) -> Self {
        Self { name, language, vendor, takes_secrets: false, signs: true, limits: &[] }
    }

    const fn with_limits(mut self, limits: &'static [(Limit, &'static str)]) -> Self {
        self.limits = limits;
        self
    }

    pub(super) fn has(&self, limit: Limit) -> bool {
        self.limits.iter().any(|(known, _)| *known == limit)
    }
}

pub(super) const STANDARD_WEBHOOKS_PYTHON: Library =
    Library::new(Language::Python, "standardwebhooks", Vendor::StandardWebhooks)
        .with_limits(&[DECODED]);

pub(super) const STANDARD_WEBHOOKS_JAVASCRIPT: Library =
    Library::new(Language::JavaScript, "standardwebhooks", Vendor::StandardWebhooks)
        .with_limits(&[DECODED, LOSSY]);

pub(super) const SVIX_PYTHON: Library =
    Library::new(Language::Python, "svix", Vendor::Svix).with_limits(&[DECODED]);

pub(super) const SVIX_JAVASCRIPT: Library =
    Library::new(Language::JavaScript, "svix", Vendor::Svix).with_limits(&[DECODED, LOSSY]);

pub(super) const STRIPE_PYTHON: Library =
    Library::new(Language::Python, "stripe", Vendor::Stripe).with_limits(&[DECODED, PAST_ONLY]);

pub(super) const STRIPE_JAVASCRIPT: Library =
    Library::new(Language::JavaScript, "stripe", Vendor::Stripe).with_limits(&[
        DECODED,
        LOSSY,
        PAST_ONLY,
        (Limit::ByteOrderMark, "it removes the mark before it signs"),
    ]);

pub(super) const OCTOKIT: Library = {
    let name = "@octokit/webhooks-methods";
    let library = Library::new(Language::JavaScript, name, Vendor::GitHub).with_limits(&[
        (Limit::NotUtf8, "it takes text only"),
        (Limit::Replaced, "it takes text only, into which the driver decodes the body"),
        (Limit::Empty, "it takes an empty body for a missing one"),
    ]);
    Library { takes_secrets: true, ..library }
};

pub(super) const SLACK_SDK: Library =
    Library::new(Language::Python, "slack_sdk", Vendor::Slack).with_limits(&[DECODED]);

pub(super) const BOLT: Library = {
    let library = Library::new(Language::JavaScript, "@slack/bolt", Vendor::Slack);
    Library { signs: false, ..library }.with_limits(&[DECODED, LOSSY, PAST_ONLY])
};

pub(super) const LINE: Library = {
    let library = Library::new(Language::JavaScript, "@line/bot-sdk", Vendor::Line);
    Library { signs: false, ..library }
};
