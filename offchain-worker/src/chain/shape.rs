//! Compares a type of the chain with the type of this program that its values are decoded into by position.

use scale_info::form::PortableForm;
use scale_info::{Field, MetaType, PortableRegistry, Registry, TypeDef, TypeInfo, Variant};

/// Why values of the type `id` of the chain cannot be decoded by position into `T`, which does not contain
/// itself; `None` if they can. A variant that `T` lacks is no reason: a value of it is not decoded.
pub(super) fn difference<T: TypeInfo + 'static>(
    chain: &PortableRegistry,
    id: u32,
) -> Option<String> {
    let mut registry = Registry::new();
    let own_id = registry.register_type(&MetaType::new::<T>()).id;
    let own = PortableRegistry::from(registry);
    let comparison = Comparison { own: &own, chain };
    comparison.types((own_id, id), "the result").err()
}

/// The types of this program and of the chain. Each pair below is in this order.
struct Comparison<'a> {
    own: &'a PortableRegistry,
    chain: &'a PortableRegistry,
}

impl Comparison<'_> {
    fn types(&self, (own, chain): (u32, u32), place: &str) -> Result<(), String> {
        match (definition(self.own, own), definition(self.chain, chain)) {
            (Some(TypeDef::Composite(own)), Some(TypeDef::Composite(chain))) => {
                self.fields((&own.fields, &chain.fields), place)
            }
            (Some(TypeDef::Variant(own)), Some(TypeDef::Variant(chain))) => {
                self.variants((&own.variants, &chain.variants), place)
            }
            (Some(TypeDef::Sequence(own)), Some(TypeDef::Sequence(chain))) => {
                self.types((own.type_param.id, chain.type_param.id), place)
            }
            (Some(TypeDef::Array(own)), Some(TypeDef::Array(chain))) if own.len == chain.len => {
                self.types((own.type_param.id, chain.type_param.id), place)
            }
            (Some(TypeDef::Tuple(own)), Some(TypeDef::Tuple(chain)))
                if own.fields.len() == chain.fields.len() =>
            {
                let mut pairs = own.fields.iter().zip(&chain.fields);
                pairs.try_for_each(|(own, chain)| self.types((own.id, chain.id), place))
            }
            (Some(TypeDef::Primitive(own)), Some(TypeDef::Primitive(chain))) if own == chain => {
                Ok(())
            }
            (Some(TypeDef::Compact(own)), Some(TypeDef::Compact(chain))) => {
                self.types((own.type_param.id, chain.type_param.id), place)
            }
            _ => Err(format!("{place} has another type")),
        }
    }

    fn fields(
        &self,
        (own, chain): (&[Field<PortableForm>], &[Field<PortableForm>]),
        place: &str,
    ) -> Result<(), String> {
        let (own_names, chain_names) = (names(own), names(chain));
        if let Some(name) = own_names.iter().find(|name| !chain_names.contains(name)) {
            return Err(format!("{place} has no field {name}"));
        }
        if let Some(name) = chain_names.iter().find(|name| !own_names.contains(name)) {
            return Err(format!("{place} has the unknown field {name}"));
        }
        if own_names != chain_names {
            return Err(format!("{place} has its fields in another order"));
        }
        let mut pairs = own.iter().zip(chain).zip(&own_names);
        pairs.try_for_each(|((own, chain), name)| {
            self.types((own.ty.id, chain.ty.id), &format!("{name} of {place}"))
        })
    }

    fn variants(
        &self,
        (own, chain): (&[Variant<PortableForm>], &[Variant<PortableForm>]),
        place: &str,
    ) -> Result<(), String> {
        let mut pairs = chain.iter().filter_map(|chain| {
            let own = own.iter().find(|own| own.index == chain.index)?;
            Some((own, chain))
        });
        pairs.try_for_each(|(own, chain)| {
            if own.name != chain.name {
                return Err(format!(
                    "variant {} of {place} is {}, not {}",
                    own.index, chain.name, own.name
                ));
            }
            self.fields(
                (&own.fields, &chain.fields),
                &format!("{} of {place}", own.name),
            )
        })
    }
}

/// The definition of a type. One that only wraps another is encoded as that one.
fn definition(types: &PortableRegistry, id: u32) -> Option<&TypeDef<PortableForm>> {
    let mut id = id;
    // A chain of wrappers is no longer than the list of types.
    for _ in &types.types {
        let definition = &types.resolve(id)?.type_def;
        match definition {
            TypeDef::Composite(composite) if composite.fields.len() == 1 => {
                id = composite.fields.first()?.ty.id;
            }
            _ => return Some(definition),
        }
    }
    None
}

/// The names of fields; of a field without one, its position.
fn names(fields: &[Field<PortableForm>]) -> Vec<String> {
    let named = |(position, field): (usize, &Field<PortableForm>)| {
        field.name.clone().unwrap_or_else(|| position.to_string())
    };
    fields.iter().enumerate().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::rounds::Round;
    use noema_protocol::{Role, Work};
    use noema_rounds::{Contribution, Losses};
    use sp_core::crypto::AccountId32;

    /// Why values of `C`, a type of a chain, cannot be decoded into `T`.
    fn between<T: TypeInfo + 'static, C: TypeInfo + 'static>() -> Option<String> {
        let mut registry = Registry::new();
        let id = registry.register_type(&MetaType::new::<C>()).id;
        difference::<T>(&registry.into(), id)
    }

    #[test]
    fn a_round_is_decoded_where_only_wrappers_differ() {
        type OnChain = noema_rounds::Round<AccountId32, u32>;
        assert_eq!(between::<Option<Round>, Option<OnChain>>(), None);
    }

    #[test]
    fn a_field_with_another_type_is_named() {
        type Longer = noema_rounds::Round<AccountId32, u64>;
        let difference = between::<Round, Longer>().expect("block numbers are longer");
        assert!(
            difference.contains("of rules of the result"),
            "{difference}"
        );
        assert!(difference.ends_with("has another type"), "{difference}");
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        assert_eq!(
            between::<Losses, Contribution>().as_deref(),
            Some("the result has no field before")
        );
    }

    #[test]
    fn a_variant_in_the_place_of_another_is_named() {
        assert_eq!(
            between::<Role, Work>().as_deref(),
            Some("variant 0 of the result is Inference, not Worker")
        );
    }
}
