//! The types that fields have, described.

use std::borrow::Cow;

use super::{Describe, Shape};
use crate::event::EventType;
use crate::id::{
    DatasetId, InstructionId, IssueId, LabwareId, PlanId, ProjectId, ReleaseId, ResourceId, RunId,
    SampleId, TaskId, WorkcellId, WorkflowId,
};
use crate::json::JsonText;
use crate::time::TimeText;

macro_rules! describe {
    ($($type:ty),+ => $shape:expr) => {
        $(
            impl Describe for $type {
                fn shape() -> Shape {
                    $shape
                }
            }
        )+
    };
}

describe!(JsonText => Shape::Any);
describe!(bool => Shape::Bool);
describe!(f32, f64 => Shape::Number);
describe!(String, Box<str>, Cow<'_, str> => Shape::Text);
describe!(TimeText => Shape::Time);
describe!(EventType => Shape::EventType);
describe! {
    DatasetId, InstructionId, IssueId, LabwareId, PlanId, ProjectId, ReleaseId, ResourceId, RunId,
    SampleId, TaskId, WorkcellId, WorkflowId => Shape::Text
}

macro_rules! describe_integers {
    ($($type:ident)+) => {
        $(
            impl Describe for $type {
                fn shape() -> Shape {
                    Shape::Integer { min: i128::from(Self::MIN), max: i128::from(Self::MAX) }
                }
            }
        )+
    };
}

describe_integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl<T: Describe> Describe for Vec<T> {
    fn shape() -> Shape {
        Shape::List(T::shape)
    }
}

impl<T: Describe> Describe for Option<T> {
    fn shape() -> Shape {
        Shape::Nullable(T::shape)
    }
}

impl<T: Describe> Describe for Box<T> {
    fn shape() -> Shape {
        T::shape()
    }
}
