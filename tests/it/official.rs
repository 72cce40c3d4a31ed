//! The official libraries agree: each verifies what this crate signs, this crate verifies what they
//! sign, and both refuse what was changed in between.
//!
//! The libraries are installed from PyPI and npm in the versions of `tests/official`, below the
//! target folder, and each is driven by a process of its own. They have the clock that the test
//! gives them, so a message depends on nothing but its number:
//!
//! ```text
//! cargo test --test it official:: -- --ignored --nocapture
//! ```
//!
//! A language that is not there, or whose packages cannot be installed, is skipped with a line that
//! starts with `skipped: official: `.
//!
//! Each library has a list of limits, with their reasons. The limits are checked too, so that the
//! lists stay true.

/// Tests that are not part of a plain `cargo test`.
macro_rules! official {
    ($($test:ident: $run:expr,)*) => {
        $(
            #[test]
            #[ignore = "installs vendors' libraries: cargo test --test it official:: -- --ignored"]
            fn $test() {
                $run;
            }
        )*
    };
}

mod cloud_events;
mod driver;
mod install;
mod library;
mod sample;
mod tamper;

use std::collections::BTreeMap;

use fastrand::Rng;

use driver::Driver;
use library::{Library, Limit, Vendor};
use sample::Sample;
use tamper::{Request, Tampering};

/// The seed of the first message.
const SEED: u64 = 14;
/// The number of messages each way.
const MESSAGES: u64 = 2_000;
/// One of this number of messages has about 1 MiB.
const LARGE_EVERY: u64 = 400;
/// The number of requests with another byte in the place of a replacement character.
const REPLACEMENTS: u64 = 50;

/// The exchange of messages with one library.
struct Exchange<'a> {
    library: &'a Library,
    driver: Driver,
    /// The number of exchanged messages that are special.
    kinds: BTreeMap<&'static str, u64>,
    tampered: u64,
    limited: BTreeMap<Limit, u64>,
}

impl Exchange<'_> {
    /// Exchanges all messages with the library, and prints their number.
    fn run(library: &Library) {
        let Some(driver) = Driver::start(library.language, library.name) else { return };
        let (kinds, limited) = (BTreeMap::new(), BTreeMap::new());
        let mut exchange = Exchange { library, driver, kinds, tampered: 0, limited };
        let (mut number, mut exchanged) = (0, 0);
        while exchanged < MESSAGES {
            exchanged += u64::from(exchange.message(SEED + number));
            number += 1;
        }
        if library.has(Limit::NotUtf8) {
            (0..REPLACEMENTS).for_each(|number| exchange.replacement(SEED + number));
        }
        exchange.report();
    }

    /// Exchanges one message both ways. Returns whether the library can have such a message.
    fn message(&mut self, seed: u64) -> bool {
        let vendor = self.library.vendor;
        let mut random = Rng::with_seed(seed);
        let sample = Sample::random(vendor, seed.is_multiple_of(LARGE_EVERY), &mut random);
        let context = format!("{}, message of seed {seed}: {sample:?}", self.driver.name);

        let headers = vendor.sign(&sample.signing, &sample.id, sample.at, &sample.body);
        let ours = self.request(&sample, headers, &mut random);
        assert_eq!(self.ours(&ours), Ok(sample.matching), "ours by ours: {context}");
        let verdict = self.theirs(&ours, sample.matching);
        if let Some(limit) = sample.limit().filter(|limit| self.library.has(*limit)) {
            assert!(verdict.is_err(), "has no limit {limit:?}: {context}");
            *self.limited.entry(limit).or_default() += 1;
            return false;
        }
        assert_eq!(verdict, Ok(()), "ours by theirs: {context}");

        let headers =
            self.driver.sign(&sample.signing, sample.id.as_str(), sample.at, &sample.body);
        let theirs = self.request(&sample, headers, &mut random);
        assert_eq!(self.ours(&theirs), Ok(sample.matching), "theirs by ours: {context}");

        for kind in sample.kinds() {
            *self.kinds.entry(kind).or_default() += 1;
        }
        for genuine in [ours, theirs] {
            self.tamper(&sample, genuine, &context, &mut random);
        }
        true
    }

    /// The request with these headers, as the sender's next version and a proxy may write them.
    fn request(&self, sample: &Sample, mut headers: driver::Headers, random: &mut Rng) -> Request {
        let vendor = self.library.vendor;
        if random.bool() {
            sample::add_unknown_versions(vendor, &mut headers, random);
        }
        if vendor == Vendor::Svix {
            sample::rename_as_svix(&mut headers, random);
        }
        let (body, secrets) = (sample.body.clone(), sample.verifying.clone());
        Request { headers, body, now: sample.now, secrets }
    }

    /// Changes a genuine request in one way, which both must notice.
    fn tamper(&mut self, sample: &Sample, genuine: Request, context: &str, random: &mut Rng) {
        let vendor = self.library.vendor;
        let tampering = Tampering::random(vendor, random);
        let mut request = genuine;
        tampering.apply(vendor, sample.at, &mut request, random);
        let verdict = self.ours(&request);
        let headers = &request.headers;
        assert!(verdict.is_err(), "{tampering:?} by ours: {context}: {headers:?}");
        let verdict = self.theirs(&request, sample.matching);
        if tampering == Tampering::Ahead && self.library.has(Limit::Ahead) {
            assert_eq!(verdict, Ok(()), "has no limit {tampering:?}: {context}");
            *self.limited.entry(Limit::Ahead).or_default() += 1;
        } else {
            assert!(verdict.is_err(), "{tampering:?} by theirs: {context}: {headers:?}");
            self.tampered += 1;
        }
    }

    /// Replaces a signed U+FFFD with a byte that a lenient decoder reads as one.
    fn replacement(&mut self, seed: u64) {
        let vendor = self.library.vendor;
        let mut sample = Sample::random(vendor, false, &mut Rng::with_seed(seed));
        sample.body = "{\"note\":\"\u{fffd}\"}".into();
        let headers = vendor.sign(&sample.signing, &sample.id, sample.at, &sample.body);
        let (body, secrets) = (b"{\"note\":\"\xff\"}".to_vec(), sample.verifying.clone());
        let request = Request { headers, body, now: sample.now, secrets };
        let context = format!("{}, message of seed {seed}", self.driver.name);
        assert!(self.ours(&request).is_err(), "{context}");
        let is_lenient = self.library.has(Limit::Replaced);
        let verdict = self.theirs(&request, sample.matching);
        assert_eq!(verdict.is_ok(), is_lenient, "replacement: {context}: {verdict:?}");
        if is_lenient {
            *self.limited.entry(Limit::Replaced).or_default() += 1;
        } else {
            self.tampered += 1;
        }
    }

    fn ours(&self, request: &Request) -> Result<usize, labhook::signature::VerifyError> {
        let Request { headers, body, now, secrets } = request;
        self.library.vendor.verify(secrets, headers, body, *now)
    }

    /// The library's verdict, and its exception if it refuses.
    fn theirs(&mut self, request: &Request, matching: usize) -> Result<(), String> {
        let Request { headers, body, now, secrets } = request;
        let secrets = if self.library.takes_secrets {
            secrets.as_slice()
        } else {
            std::slice::from_ref(&secrets[matching])
        };
        let verdict = self.driver.verify(secrets, headers, body, *now);
        if verdict.accepted { Ok(()) } else { Err(verdict.why.unwrap_or_default()) }
    }

    fn report(&self) {
        let (name, tampered) = (&self.driver.name, self.tampered);
        let mut report = format!(
            "official: {name}: {MESSAGES} ours accepted by it, {MESSAGES} its accepted by ours, \
             {tampered} tampered refused by both"
        );
        for limit in Limit::OF_BODIES {
            let was_exchanged = self.kinds.contains_key(limit.kind());
            assert_ne!(was_exchanged, self.library.has(limit), "{name}: {}", limit.kind());
        }
        let kinds: Vec<_> =
            self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        report += &format!("\nofficial: {name}: among them each way {}", kinds.join(", "));
        if !self.library.signs {
            report +=
                &format!("\nofficial: {name}: its were signed as the vendor's page describes");
        }
        for (limit, why) in self.library.limits {
            let count = self.limited.get(limit).copied().unwrap_or_default();
            let (kind, outcome) = (limit.kind(), limit.outcome());
            report += &format!("\nofficial: {name}: {count} {kind} {outcome} ({why})");
            assert!(count > 0, "{name}: no message for {limit:?}");
        }
        println!("{report}");
    }
}

official! {
    bolt_agrees: Exchange::run(&library::BOLT),
    line_agrees: Exchange::run(&library::LINE),
    octokit_agrees: Exchange::run(&library::OCTOKIT),
    slack_sdk_agrees: Exchange::run(&library::SLACK_SDK),
    standard_webhooks_of_javascript_agrees: Exchange::run(&library::STANDARD_WEBHOOKS_JAVASCRIPT),
    standard_webhooks_of_python_agrees: Exchange::run(&library::STANDARD_WEBHOOKS_PYTHON),
    stripe_of_javascript_agrees: Exchange::run(&library::STRIPE_JAVASCRIPT),
    stripe_of_python_agrees: Exchange::run(&library::STRIPE_PYTHON),
    svix_of_javascript_agrees: Exchange::run(&library::SVIX_JAVASCRIPT),
    svix_of_python_agrees: Exchange::run(&library::SVIX_PYTHON),
}
