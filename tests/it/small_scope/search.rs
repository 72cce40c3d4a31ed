//! Breadth-first search through every state of a model: [`search`].

use std::collections::BTreeMap;
use std::fmt::Debug;

/// Everything that may happen, in any order, from one state on.
pub(crate) trait Model: Clone {
    type Input: Copy + Debug + PartialEq;
    /// What a host was promised and does not get. A model without it asserts everything.
    type Broken: Copy + Debug + Ord;

    /// Every possible next input.
    fn inputs(&self) -> Vec<Self::Input>;

    /// The next input if all goes well; `None` at the end.
    fn fair(&self) -> Option<Self::Input>;

    /// Returns what this input breaks.
    fn act(&mut self, input: Self::Input) -> Vec<Self::Broken>;

    /// Asserts what holds in every state.
    fn check(&self);

    /// Returns what is broken at the end, or asserts that nothing is.
    fn check_end(&self) -> Vec<Self::Broken>;

    /// Equal for states with the same future.
    fn digest(&self, text: &mut String) -> u64;
}

/// What a search has found.
pub(crate) struct Searched<M: Model> {
    pub(crate) states: usize,
    /// Whether these are all.
    pub(crate) is_whole: bool,
    pub(crate) steps: usize,
    /// All that can be broken, each with the inputs of a shortest way to it.
    pub(crate) broken: BTreeMap<M::Broken, Vec<M::Input>>,
}

/// A state, with the first path to it.
struct Found<M: Model> {
    /// The state, until it is visited.
    model: Option<M>,
    /// The state before and the input; `None` at the start.
    from: Option<(usize, M::Input)>,
    /// The input if all goes well, and the state that follows; `None` at the end.
    fair: Option<(M::Input, usize)>,
    /// What is broken at the end.
    broken: Vec<M::Broken>,
}

/// The inputs that led to a state.
fn history<M: Model>(found: &[Found<M>], mut at: usize) -> Vec<M::Input> {
    let mut inputs = Vec::new();
    while let Some((before, input)) = found[at].from {
        inputs.push(input);
        at = before;
    }
    inputs.reverse();
    inputs
}

/// Prints the inputs that led to a failed assertion.
struct Trace<'a, M: Model>(&'a [Found<M>], usize, Option<M::Input>);

impl<M: Model> Drop for Trace<'_, M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("after {:?} and then {:?}", history(self.0, self.1), self.2);
        }
    }
}

/// Visits every state, or at most this number, nearest first.
pub(crate) fn search<M: Model>(start: M, at_most: usize) -> Searched<M> {
    let mut text = String::new();
    let mut ids = BTreeMap::from([(start.digest(&mut text), 0)]);
    let mut found = vec![Found { model: Some(start), from: None, fair: None, broken: Vec::new() }];
    let (mut next, mut steps) = (0, 0);
    let mut broken = BTreeMap::new();
    while next < found.len().min(at_most) {
        let model = found[next].model.take().unwrap();
        let fair = model.fair();
        {
            let _trace = Trace(&found, next, None);
            model.check();
        }
        if fair.is_none() {
            let at_end = {
                let _trace = Trace(&found, next, None);
                model.check_end()
            };
            found[next].broken = at_end;
        }
        for input in model.inputs() {
            let mut model = model.clone();
            let breaks = {
                let _trace = Trace(&found, next, Some(input));
                model.act(input)
            };
            steps += 1;
            for it in breaks {
                broken.entry(it).or_insert_with(|| {
                    let mut inputs = history(&found, next);
                    inputs.push(input);
                    inputs
                });
            }
            let id = *ids.entry(model.digest(&mut text)).or_insert(found.len());
            if id == found.len() {
                let (model, from) = (Some(model), Some((next, input)));
                found.push(Found { model, from, fair: None, broken: Vec::new() });
            }
            if fair == Some(input) {
                found[next].fair = Some((input, id));
            }
        }
        assert!(fair.is_none() || found[next].fair.is_some(), "{fair:?} is not possible");
        next += 1;
    }
    // From every state, if all goes well from there on, the end is reached.
    for start in 0..found.len() {
        let (mut at, mut inputs) = (start, Vec::new());
        while let Some((input, next)) = found[at].fair {
            at = next;
            inputs.push(input);
            assert!(inputs.len() < 100, "no end after {:?}", history(&found, start));
        }
        for it in &found[at].broken {
            let way = || [history(&found, start), inputs.clone()].concat();
            broken.entry(*it).or_insert_with(way);
        }
    }
    Searched { states: next, is_whole: next == found.len(), steps, broken }
}
