//! Drives the policies through the weathers, on all cores.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use crate::bars::Bar;
use crate::measure::{Measure, run};
use crate::policy::Name;
use crate::weather::{Class, Weather};

/// One policy's run through one weather with one seed.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub weather: String,
    pub load: String,
    pub seed: u64,
    pub policy: &'static str,
    /// In percent of the oracle's.
    #[serde(serialize_with = "tenths")]
    pub goodput: f64,
    /// In percent of all requests.
    #[serde(serialize_with = "tenths")]
    pub failed: f64,
    pub p50_ms: Option<u64>,
    pub p99_ms: Option<u64>,
    pub while_down: u64,
    pub first_success_s: Option<u64>,
    pub peak: u64,
    pub held_back_s: Option<u64>,
    pub bar: Option<String>,
    pub holds: Option<bool>,
    #[serde(skip)]
    pub class: Class,
    #[serde(skip)]
    pub name: Name,
    /// Beyond the oracle's, in points.
    #[serde(skip)]
    pub wasted: f64,
    #[serde(skip)]
    pub broken: Vec<String>,
}

fn tenths<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 10.0).round() / 10.0)
}

impl Row {
    fn new(weather: &Weather, name: Name, seed: u64, run: &Measure, oracle: &Measure) -> Self {
        let goodput = run.goodput(oracle);
        let wasted = run.failed_percent() - oracle.failed_percent();
        let bar = Bar::of(weather).filter(|_| name == Name::Labhook);
        let broken = bar.map(|bar| bar.broken(run, oracle));
        let millis = |time: std::time::Duration| time.as_millis() as u64;
        Self {
            weather: weather.full_name(),
            load: weather.load_text(),
            seed,
            policy: name.as_str(),
            goodput,
            failed: run.failed_percent(),
            p50_ms: run.p50.map(millis),
            p99_ms: run.p99.map(millis),
            while_down: run.while_down,
            first_success_s: run.first_success.map(|it| it.as_secs()),
            peak: run.peak,
            held_back_s: run.held_back.map(|it| it.as_secs()),
            bar: bar.map(|bar| bar.to_string()),
            holds: broken.as_ref().map(Vec::is_empty),
            class: weather.class,
            name,
            wasted,
            broken: broken.unwrap_or_default(),
        }
    }
}

/// Runs the policies through each weather, and returns their rows by weather, seed and policy.
///
/// The oracle always runs, because the others are measured by it.
pub fn hold(weathers: &[(Weather, Vec<u64>)], policies: &[Name]) -> Vec<Row> {
    let mut names = policies.to_vec();
    names.retain(|name| *name != Name::Oracle);
    names.push(Name::Oracle);
    let names = &names;
    let runs: Vec<_> = weathers
        .iter()
        .flat_map(|(weather, seeds)| seeds.iter().map(move |seed| (weather, *seed)))
        .flat_map(|(weather, seed)| names.iter().map(move |name| (weather, seed, *name)))
        .collect();
    let progress = progress_bar(runs.len());
    let measures: Vec<Measure> = runs
        .par_iter()
        .with_max_len(1)
        .map(|(weather, seed, name)| {
            progress.set_message(format!("{}, {}", weather.name, weather.load_text()));
            let measure = run(weather, *name, *seed);
            progress.inc(1);
            measure
        })
        .collect();
    progress.finish_and_clear();
    let groups = runs.chunks(names.len()).zip(measures.chunks(names.len()));
    groups
        .flat_map(|(runs, measures)| {
            let oracle = &measures[measures.len() - 1];
            runs.iter().zip(measures).map(move |((weather, seed, name), measure)| {
                Row::new(weather, *name, *seed, measure, oracle)
            })
        })
        .collect()
}

fn progress_bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(Some(length as u64), target);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
    bar.with_style(style.expect("the template is valid"))
}

/// The rows of one weather under one load, of all seeds: the averages of each policy.
pub struct Group<'a> {
    pub class: Class,
    pub weather: &'a str,
    pub load: &'a str,
    pub rows: Vec<&'a Row>,
}

impl Group<'_> {
    /// The average of a policy's rows; `None` if it did not run.
    pub fn mean(&self, name: Name, value: impl Fn(&Row) -> f64) -> Option<f64> {
        let values: Vec<_> = self.of(name).map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The rows of a policy.
    pub fn of(&self, name: Name) -> impl Iterator<Item = &Row> {
        self.rows.iter().copied().filter(move |row| row.name == name)
    }
}

/// Groups rows by weather and load, in their order.
pub fn groups(rows: &[Row]) -> Vec<Group<'_>> {
    let same = |a: &Row, b: &Row| (a.class, &a.weather, &a.load) == (b.class, &b.weather, &b.load);
    rows.chunk_by(same)
        .map(|rows| Group {
            class: rows[0].class,
            weather: &rows[0].weather,
            load: &rows[0].load,
            rows: rows.iter().collect(),
        })
        .collect()
}
