//! Verifying and signing.

use criterion::{BenchmarkId, Criterion, Throughput};
use labhook::{Signer, Verifier};

use crate::fixture;

pub(crate) fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    let verifier = Verifier::standard_webhooks(fixture::secret());
    for bytes in [200, 1 << 10, 20 << 10, 1 << 20] {
        let signed = fixture::signed(fixture::body(bytes), fixture::start());
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| verifier.verify(&signed.headers, &signed.body, signed.at).is_ok());
        });
    }
}

pub(crate) fn sign(criterion: &mut Criterion) {
    let signer = Signer::standard_webhooks(fixture::secret());
    let id = fixture::message_id(&mut fastrand::Rng::with_seed(fixture::SEED));
    let body = fixture::body(1 << 10);
    criterion.bench_function("sign 1 KiB", |bencher| {
        bencher.iter(|| signer.sign(&id, fixture::start(), &body));
    });
    let (attempt, now) = fixture::attempt(1 << 10);
    criterion.bench_function("Attempt::request, 1 KiB", |bencher| {
        bencher.iter(|| attempt.request(now));
    });
}
