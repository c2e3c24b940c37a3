//! Events of a block.

use super::{At, ChainError};
use subxt::events::{Event, Events};
use subxt::ext::scale_decode::DecodeAsFields;
use subxt::SubstrateConfig;

/// The events of a block, in order.
pub struct BlockEvents(Events<SubstrateConfig>);

impl BlockEvents {
    /// The fields of every event `pallet.name`.
    pub fn all<E: DecodeAsFields>(&self, pallet: &str, name: &str) -> Result<Vec<E>, ChainError> {
        let mut found = Vec::new();
        for event in self.0.iter() {
            let event = event.map_err(|error| incompatible("events of a block", error))?;
            if event.pallet_name() == pallet && event.event_name() == name {
                found.push(fields(&event)?);
            }
        }
        Ok(found)
    }
}

impl At {
    /// The events of the block.
    pub async fn events(&self) -> Result<BlockEvents, ChainError> {
        let events = self.block.events();
        self.in_time("events of a block", events.fetch())
            .await
            .map(BlockEvents)
    }
}

/// The fields of an event, by their names.
pub(super) fn fields<E: DecodeAsFields>(
    event: &Event<'_, SubstrateConfig>,
) -> Result<E, ChainError> {
    event.decode_fields_unchecked_as().map_err(|error| {
        let what = format!("event {}.{}", event.pallet_name(), event.event_name());
        incompatible(&what, error)
    })
}

fn incompatible(what: &str, error: impl std::fmt::Display) -> ChainError {
    ChainError::Incompatible {
        what: what.to_owned(),
        reason: error.to_string(),
    }
}
