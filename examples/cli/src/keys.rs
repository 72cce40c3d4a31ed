//! The scheme and its secrets, which come from the environment and from files.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use labhook::signature::{
    Algorithm, Ed25519PrivateKey, Ed25519PublicKey, P256PublicKey, Scheme, SigningKey, VerifyingKey,
};
use labhook::{Secret, Signer, Verifier};
use zeroize::Zeroizing;

use crate::scheme;

/// The variable that is read if no secret is named.
const DEFAULT_ENV: &str = "LABHOOK_SECRET";

/// The arguments of a command that signs or verifies.
#[derive(Args)]
pub struct Keys {
    /// Signature scheme: standard-webhooks, svix, strike, twilio, http-message-signatures,
    /// token:HEADER, file:PATH or a vendor.
    #[arg(long, default_value = "standard-webhooks", long_help = scheme::help())]
    scheme: String,
    /// Environment variable that holds the secret; may be repeated, for a rotation. If neither this
    /// nor a file is given, it is LABHOOK_SECRET.
    #[arg(long, value_name = "NAME")]
    secret_env: Vec<String>,
    /// File that holds the secret; may be repeated.
    #[arg(long, value_name = "PATH")]
    secret_file: Vec<PathBuf>,
    /// How the secret, or the key, is written.
    #[arg(long, value_enum, default_value_t = Form::Auto)]
    secret_form: Form,
}

/// How a secret, or a key, is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// As the scheme has it: `whsec` for Standard Webhooks and Svix, the key of schemes with public
    /// keys, and `text` for all others.
    Auto,
    /// `whsec_` and base64.
    Whsec,
    /// Base64 without a prefix.
    Base64,
    /// Text that is used unchanged.
    Text,
    /// An Ed25519 key: `whpk_` or hexadecimal to verify, and `whsk_` to sign.
    Ed25519,
    /// A P-256 public key, in PEM or the base64 of its lines, to verify.
    P256,
}

impl Form {
    /// The forms that a secret can be mistaken for.
    pub const WRITTEN: [Self; 3] = [Self::Whsec, Self::Base64, Self::Text];

    /// Reads a key to verify with. No error quotes it.
    pub fn verifying(self, text: &str) -> anyhow::Result<VerifyingKey> {
        Ok(match self {
            Self::Ed25519 if text.starts_with("whpk_") => Ed25519PublicKey::from_whpk(text)?.into(),
            Self::Ed25519 => Ed25519PublicKey::from_hex(text)?.into(),
            Self::P256 => P256PublicKey::from_spki(text)?.into(),
            form => form.shared(text)?.into(),
        })
    }

    /// Reads a key to sign with. No error quotes it.
    fn signing(self, text: &str) -> anyhow::Result<SigningKey> {
        Ok(match self {
            Self::Ed25519 => Ed25519PrivateKey::from_whsk(text)?.into(),
            Self::P256 => bail!("this program only verifies with P-256"),
            form => form.shared(text)?.into(),
        })
    }

    fn shared(self, text: &str) -> anyhow::Result<Secret> {
        Ok(match self {
            Self::Whsec => Secret::from_whsec(text)?,
            Self::Base64 => Secret::from_base64(text)?,
            _ => Secret::from_text(text)?,
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Whsec => "whsec",
            Self::Base64 => "base64",
            Self::Text => "text",
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
        }
    }
}

impl Keys {
    pub fn scheme(&self) -> anyhow::Result<Scheme> {
        scheme::parse(&self.scheme)
    }

    /// The name of the scheme, as it was given.
    pub fn scheme_name(&self) -> &str {
        &self.scheme
    }

    /// How the secrets are written.
    pub fn form(&self, scheme: &Scheme) -> Form {
        match (self.secret_form, scheme) {
            (Form::Auto, Scheme::StandardWebhooks | Scheme::Svix) => Form::Whsec,
            (Form::Auto, Scheme::CustomScheme(custom)) => match custom.algorithm() {
                Algorithm::Ed25519 => Form::Ed25519,
                Algorithm::EcdsaP256 => Form::P256,
                _ => Form::Text,
            },
            (Form::Auto, _) => Form::Text,
            (form, _) => form,
        }
    }

    /// The texts of the secrets. No error quotes an argument, which may be a secret by mistake.
    pub fn texts(&self) -> anyhow::Result<Vec<Zeroizing<String>>> {
        let default = (self.secret_env.is_empty() && self.secret_file.is_empty())
            .then(|| DEFAULT_ENV.to_owned());
        let mut texts = Vec::new();
        for name in default.iter().chain(&self.secret_env) {
            let what = if name == DEFAULT_ENV { name } else { "the variable of --secret-env" };
            let text = env::var(name).map_err(|_| {
                anyhow!(
                    "{what} is not set: give a secret by --secret-env NAME or --secret-file PATH"
                )
            })?;
            texts.push(Zeroizing::new(text));
        }
        for path in &self.secret_file {
            let text = fs::read_to_string(path).context("cannot read the file of --secret-file")?;
            texts.push(Zeroizing::new(text));
        }
        Ok(texts)
    }

    /// Reads each secret, in the form that the scheme has or that was given.
    fn keys<K>(&self, read: fn(Form, &str) -> anyhow::Result<K>) -> anyhow::Result<Vec<K>> {
        let form = self.form(&self.scheme()?);
        let read = |text: &Zeroizing<String>| {
            read(form, text).with_context(|| {
                format!("the secret cannot be read as {}, see --secret-form", form.name())
            })
        };
        self.texts()?.iter().map(read).collect()
    }

    pub fn verifier(&self) -> anyhow::Result<Verifier> {
        let mut keys = self.keys(Form::verifying)?.into_iter();
        let first = keys.next().context("there is no secret")?;
        Ok(keys.try_fold(Verifier::new(self.scheme()?, first)?, Verifier::add_key)?)
    }

    pub fn signer(&self) -> anyhow::Result<Signer> {
        let mut keys = self.keys(Form::signing)?.into_iter();
        let first = keys.next().context("there is no secret")?;
        Ok(keys.try_fold(Signer::new(self.scheme()?, first)?, Signer::add_key)?)
    }

    /// The shell's words for the text of the first secret, for a command that is printed.
    pub fn shell(&self) -> anyhow::Result<String> {
        if let Some(path) = self.secret_file.first().filter(|_| self.secret_env.is_empty()) {
            let path = path.to_str().context("the path of --secret-file is not UTF-8")?;
            ensure!(!path.contains('\''), "the path of --secret-file contains a quote");
            return Ok(format!("$(cat '{path}')"));
        }
        let name = self.secret_env.first().map_or(DEFAULT_ENV, String::as_str);
        Ok(format!("${{{name}}}"))
    }
}
