//! Lab payloads with one model, and the models: [`Carrier`] and [`LabModel`].

use crate::event::Payload;
use crate::json::UnknownMembers;
use crate::lab::{
    Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated, Issue, IssueCreated, IssueUpdated,
    Label, LabelDeleted, LabelUpdated, Release, ReleaseCreated, Sample, SampleCreated,
    SampleDeleted, SampleUpdated,
};

/// A model of the lab.
pub(super) trait LabModel: Sized {
    fn unknown(&self) -> &UnknownMembers;
}

/// A payload with one model and, for updates, the names of the changed fields.
pub(super) trait Carrier: Payload {
    type Model: LabModel;
    const NAMES: &'static [&'static str];

    fn of(model: Self::Model, changes: Option<Vec<String>>, unknown: UnknownMembers) -> Self;
    fn model(&self) -> &Self::Model;
    fn changes(&self) -> Option<&Vec<String>>;
    fn unknown(&self) -> &UnknownMembers;
}

macro_rules! models {
    ($($model:ident,)+) => {
        $(
            impl LabModel for $model {
                fn unknown(&self) -> &UnknownMembers {
                    &self.unknown
                }
            }
        )+
    };
}

models! {
    Dataset,
    Sample,
    Label,
    Issue,
    Release,
}

macro_rules! carriers {
    ($($payload:ident: $field:ident $model:ident $(, $changes:ident)?;)+) => {
        $(
            impl Carrier for $payload {
                type Model = $model;
                const NAMES: &'static [&'static str] = Self::NAMES;

                #[allow(unused_variables, reason = "not every payload has `changes`")]
                fn of(
                    model: $model,
                    changes: Option<Vec<String>>,
                    unknown: UnknownMembers,
                ) -> Self {
                    let mut payload = Self::new(model);
                    $(payload.$changes = changes;)?
                    payload.unknown = unknown;
                    payload
                }

                fn model(&self) -> &$model {
                    &self.$field
                }

                fn changes(&self) -> Option<&Vec<String>> {
                    None$(.or(self.$changes.as_ref()))?
                }

                fn unknown(&self) -> &UnknownMembers {
                    &self.unknown
                }
            }
        )+
    };
}

carriers! {
    DatasetCreated: dataset Dataset;
    DatasetUpdated: dataset Dataset, changes;
    DatasetDeleted: dataset Dataset;
    SampleCreated: sample Sample;
    SampleUpdated: sample Sample, changes;
    SampleDeleted: sample Sample;
    LabelUpdated: label Label, changes;
    LabelDeleted: label Label;
    IssueCreated: issue Issue;
    IssueUpdated: issue Issue, changes;
    ReleaseCreated: release Release;
}
