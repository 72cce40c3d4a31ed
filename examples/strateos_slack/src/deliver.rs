//! The loop around the outbox, one request at a time.

use std::sync::{Arc, MutexGuard, PoisonError};

use labhook::delivery::Failure;
use labhook::{Attempt, Notice, Outbox, Outcome, Step};
use tokio::time::timeout;

use crate::{Bot, now};

/// A client must not follow redirects or retry on its own. Loopback needs no proxy.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()
}

pub async fn run(bot: Arc<Bot>, client: reqwest::Client) {
    loop {
        let step = outbox(&bot).poll(now());
        match step {
            Step::Send(attempt) => {
                let outcome = send(&client, &attempt).await;
                outbox(&bot).resolve(attempt.ticket(), &outcome, now());
            }
            Step::Notify(Notice::Settled { message, verdict, attempts, .. }) => {
                println!("{message}: {verdict} at attempt {attempts}");
            }
            Step::Notify(notice) => println!("{notice:?}"),
            Step::Wait(until) => {
                // Wakes up at whichever comes first.
                let wait = until.saturating_since(now());
                let _ = timeout(wait, bot.published.notified()).await;
            }
            Step::Idle => bot.published.notified().await,
            // An outbox without storage never saves.
            Step::Save(changes) => _ = outbox(&bot).saved(changes.revision()),
        }
    }
}

async fn send(client: &reqwest::Client, attempt: &Attempt) -> Outcome {
    let request = attempt.request(now()).ok().and_then(|request| request.try_into().ok());
    let Some(mut request): Option<reqwest::Request> = request else {
        return Outcome::failed(Failure::Sender);
    };
    *request.timeout_mut() = Some(attempt.timeout(now()));
    match client.execute(request).await {
        Ok(response) => Outcome::response(response.status(), response.headers(), now()),
        Err(error) if error.is_connect() => Outcome::failed(Failure::Connect),
        Err(error) if error.is_timeout() => Outcome::failed(Failure::Timeout),
        Err(_) => Outcome::failed(Failure::Broken),
    }
}

fn outbox(bot: &Bot) -> MutexGuard<'_, Outbox> {
    bot.outbox.lock().unwrap_or_else(PoisonError::into_inner)
}
