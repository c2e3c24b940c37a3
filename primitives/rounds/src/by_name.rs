//! Encoding by name of the types with fields whose own types cannot be encoded so.

use crate::{Finding, RoundRules, ScoreSheet};
use alloc::vec::Vec;
use scale_encode::{Composite, CompositeField, EncodeAsType, Error, TypeResolver};

impl EncodeAsType for ScoreSheet {
    fn encode_as_type_to<R: TypeResolver>(
        &self,
        type_id: R::TypeId,
        types: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Self { parent, findings } = self;
        let findings: &[Finding] = findings;
        let fields = [
            (Some("parent"), CompositeField::new(parent)),
            (Some("findings"), CompositeField::new(&findings)),
        ];
        let composite = Composite::new(fields.into_iter());
        composite.encode_composite_as_type_to(type_id, types, out)
    }
}

impl<BlockNumber: EncodeAsType> EncodeAsType for RoundRules<BlockNumber> {
    fn encode_as_type_to<R: TypeResolver>(
        &self,
        type_id: R::TypeId,
        types: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Self {
            windows,
            min_contributions,
            validators,
            shards_per_trainer,
            evaluation_shards,
            max_update_bytes,
            entries_per_chunk,
            max_overlap,
            min_holders,
        } = self;
        let max_overlap = max_overlap.deconstruct();
        let fields = [
            (Some("windows"), CompositeField::new(windows)),
            (
                Some("min_contributions"),
                CompositeField::new(min_contributions),
            ),
            (Some("validators"), CompositeField::new(validators)),
            (
                Some("shards_per_trainer"),
                CompositeField::new(shards_per_trainer),
            ),
            (
                Some("evaluation_shards"),
                CompositeField::new(evaluation_shards),
            ),
            (
                Some("max_update_bytes"),
                CompositeField::new(max_update_bytes),
            ),
            (
                Some("entries_per_chunk"),
                CompositeField::new(entries_per_chunk),
            ),
            (Some("max_overlap"), CompositeField::new(&max_overlap)),
            (Some("min_holders"), CompositeField::new(min_holders)),
        ];
        let composite = Composite::new(fields.into_iter());
        composite.encode_composite_as_type_to(type_id, types, out)
    }
}
