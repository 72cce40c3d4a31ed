//! The catalogue: every weather that the policies are driven through.

mod chance;
mod healthy;
mod limits;
mod open;
mod outages;
mod poison;
mod progress;
mod queues;
mod steps;

use http::StatusCode;
use labhook::Failure;
use labhook::Outcome;
use labhook::simulate::Behaviour;

use crate::weather::Weather;

/// All weathers, in the order in which they are shown.
pub fn all() -> Vec<Weather> {
    let mut all = Vec::new();
    for list in [
        healthy::list,
        chance::list,
        poison::list,
        progress::list,
        outages::list,
        limits::list,
        steps::list,
        queues::list,
        open::list,
    ] {
        all.extend(list());
    }
    // A stable sort: within a class, in the order of the catalogue.
    all.sort_by_key(|weather| weather.class);
    all
}

fn status(code: u16) -> Behaviour {
    Behaviour::status(code_of(code))
}

fn code_of(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("the catalogue has valid statuses")
}

fn bare(code: u16) -> Outcome {
    Outcome::bare(code_of(code))
}

fn connect() -> Behaviour {
    Behaviour::Responds(Outcome::failed(Failure::Connect))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn catalogue_has_60_weathers_with_distinct_names() {
        let all = all();
        let names: BTreeSet<_> = all.iter().map(|it| (&it.name, it.load_text())).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.len() >= 60, "{}", all.len());
    }
}
