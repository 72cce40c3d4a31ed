//! A worker: takes jobs and makes one attempt for each, if one is due.

use std::time::Duration;

use anyhow::Context as _;
use labhook::delivery::{Failure, Jitter, JitterSeed, Resolution, Schedule};
use labhook::{Endpoint, EndpointId, Message, Outcome, Registry, RetryPolicy, Secret, Signer};

use crate::now;
use crate::queue::{Job, Queue};

/// Chosen once per application, and kept: the seed of the jitter.
const SEED: u64 = 0x1ab0_0c4e;

pub struct Worker {
    pub registry: Registry,
    pub queue: Queue,
    pub client: reqwest::Client,
}

impl Worker {
    /// Works until the process ends. In case of an error the job stays unacknowledged, and comes
    /// again.
    pub async fn run(&self) -> ! {
        loop {
            let worked = match self.queue.next().await {
                Ok(Some(job)) => self.attempt(&job).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = worked {
                eprintln!("worker {}: {error:#}", std::process::id());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Makes one attempt, if one is due, and settles the job by what the machine says.
    async fn attempt(&self, job: &Job) -> anyhow::Result<()> {
        let endpoint = self.registry.get(&job.endpoint).context("an endpoint nobody knows")?;
        let policy = &endpoint.policy.retry;
        let dice = JitterSeed::new(SEED, job.message.id(), &job.endpoint);

        let (mut delivery, mut revision) = self.queue.state(job).await?;
        let saved = delivery.clone();
        let at = now();
        // `poll` counts an attempt that a crash interrupted as unanswered. `start` starts only what
        // is due: nothing while another worker's attempt is in flight.
        delivery.poll(policy, dice, at);
        let started = delivery.start(policy, at);
        if delivery != saved {
            // Save before sending. If another worker was faster, the job is that one's: nothing is
            // sent, and nothing acknowledged.
            match self.queue.save(job, &delivery, revision).await? {
                Some(saved) => revision = saved,
                None => return Ok(()),
            }
        }

        if let Some(started) = started {
            let timeout = started.deadline.saturating_since(now());
            let outcome = self.send(endpoint, &job.message, timeout).await;
            loop {
                let resolved = delivery.resolve(policy, dice, started.number, &outcome, now());
                if let Resolution::Ignored(_) = resolved {
                    return Ok(());
                }
                if self.queue.save(job, &delivery, revision).await?.is_some() {
                    break;
                }
                // This worker was out for longer than `ACK_WAIT`, and another one has counted the
                // attempt as unanswered. A late success still ends the delivery.
                (delivery, revision) = self.queue.state(job).await?;
            }
        }
        job.settle(delivery.claim_at(policy), now()).await
    }

    /// Sends the message once, and returns the outcome. At the deadline it is too late: another
    /// worker may be sending it.
    async fn send(&self, endpoint: &Endpoint, message: &Message, timeout: Duration) -> Outcome {
        let request = || {
            let rendering = message.rendering(endpoint.format().name()).context("no rendering")?;
            let request = endpoint.request(message.id(), rendering, now())?;
            anyhow::Ok(reqwest::Request::try_from(request)?)
        };
        let Some(mut request) = request().ok().filter(|_| !timeout.is_zero()) else {
            return Outcome::failed(Failure::Sender);
        };
        *request.timeout_mut() = Some(timeout);
        match self.client.execute(request).await {
            Ok(response) => Outcome::response(response.status(), response.headers(), now()),
            Err(error) if error.is_connect() => Outcome::failed(Failure::Connect),
            Err(error) if error.is_timeout() => Outcome::failed(Failure::Timeout),
            Err(_) => Outcome::failed(Failure::Broken),
        }
    }
}

pub fn secret() -> anyhow::Result<Secret> {
    Ok(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?)
}

/// Returns the endpoints `eln` and `lims`, with retries in a hurry: the program is to end.
pub fn registry(receiver: &str) -> anyhow::Result<Registry> {
    let retry = RetryPolicy::new(Schedule::list([Duration::from_millis(200)]).forever())
        .with_jitter(Jitter::plus_minus(20))
        .with_attempt_timeout(Duration::from_millis(500));
    let mut registry = Registry::new();
    for id in ["eln", "lims"] {
        let signer = Signer::standard_webhooks(secret()?);
        let url = format!("{receiver}/{id}");
        let endpoint = Endpoint::plain_http(EndpointId::new(id)?, &url, signer)?;
        registry.insert(endpoint.with_retry(retry.clone()))?;
    }
    Ok(registry)
}

/// Returns an HTTP client without redirects and retries, for receivers on loopback.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()
}
