//! The guide: how to send, receive, persist, operate and test, chapter by chapter.
//!
//! 1. [Send](sending)
//! 2. [Receive](receiving)
//! 3. [Your own events](own_events)
//! 4. [Other languages](other_languages)
//! 5. [Persist the outbox](persisting)
//! 6. [Operate](operating)
//! 7. [Policies in a file](policy_files)
//! 8. [Which policy](which_policy)
//! 9. [Without an outbox](without_outbox)
//! 10. [More than one machine](many_machines)
//! 11. [Test your integration](testing)
//! 12. [Laboratory systems](laboratory_systems)
//! 13. [Security](security)
//! 14. [Glossary](glossary)
//! 15. [Design and invariants](design)
//! 16. [Comparison with other crates](comparison)
//! 17. [Performance](performance)
//! 18. [Changelog](changelog)
//! 19. [Contributing](contributing)

#[doc = include_str!("guide/sending.md")]
pub mod sending {}

#[doc = include_str!("guide/receiving.md")]
pub mod receiving {}

#[doc = include_str!("guide/own_events.md")]
pub mod own_events {}

#[doc = include_str!("guide/other_languages.md")]
#[doc = "```python"]
#[doc = include_str!("guide/other_languages/receiver.py")]
#[doc = "```"]
#[doc = include_str!("guide/other_languages/typescript.md")]
#[doc = "```typescript"]
#[doc = include_str!("guide/other_languages/receiver.ts")]
#[doc = "```"]
pub mod other_languages {}

#[doc = include_str!("guide/persisting.md")]
pub mod persisting {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/policy_files.md")]
pub mod policy_files {}

#[doc = include_str!("guide/which_policy.md")]
pub mod which_policy {}

#[doc = include_str!("guide/without_outbox.md")]
pub mod without_outbox {}

#[doc = include_str!("guide/many_machines.md")]
pub mod many_machines {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/laboratory_systems.md")]
pub mod laboratory_systems {}

#[doc = include_str!("guide/security.md")]
pub mod security {}

#[doc = include_str!("guide/glossary.md")]
pub mod glossary {}

#[doc = include_str!("guide/design.md")]
pub mod design {}

#[doc = include_str!("guide/comparison.md")]
pub mod comparison {}

#[doc = include_str!("guide/performance.md")]
pub mod performance {}

#[doc = include_str!("guide/changelog.md")]
pub mod changelog {}

#[doc = include_str!("guide/contributing.md")]
pub mod contributing {}
