//! Names that many events share, each stored once: [`Names`].

use std::collections::BTreeMap;
use std::sync::Arc;

/// Names by number, each as long as something has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<Arc<str>, u32>,
    names: Vec<(Arc<str>, u32)>,
    /// Numbers that no name has.
    free: Vec<u32>,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn name(&self, number: u32) -> Option<&Arc<str>> {
        self.names.get(usize::try_from(number).ok()?).map(|(name, _)| name)
    }

    /// Returns the number of the name, and counts one use more of it.
    pub(super) fn take(&mut self, name: &str) -> u32 {
        let number = self.find(name).unwrap_or_else(|| self.add(name.into()));
        if let Some((_, uses)) = self.entry(number) {
            *uses = uses.saturating_add(1);
        }
        number
    }

    fn add(&mut self, name: Arc<str>) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.names.push((name.clone(), 0));
            u32::try_from(self.names.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        if let Some(entry) = self.entry(number) {
            *entry = (name.clone(), 0);
        }
        self.numbers.insert(name, number);
        number
    }

    /// Counts one use less; a name without one is forgotten.
    pub(super) fn give_back(&mut self, number: u32) {
        let Some((name, uses)) = self.entry(number) else { return };
        *uses = uses.saturating_sub(1);
        if *uses == 0 {
            let name = std::mem::replace(name, Arc::from(""));
            self.numbers.remove(&name);
            self.free.push(number);
        }
    }

    fn entry(&mut self, number: u32) -> Option<&mut (Arc<str>, u32)> {
        self.names.get_mut(usize::try_from(number).ok()?)
    }
}
