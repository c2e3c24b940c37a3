//! A bundle: the receipts of a session that one claim covers. Both sides keep the same one.

use crate::{Agreement, ReceiptTree, SessionReceipt, Voucher};
use noema_economics::Balance;
use noema_protocol::{apply, stored};

/// The receipts that the next claim covers, as far as they are paid.
#[apply(stored)]
#[derive(Default)]
pub struct Bundle {
    /// The number of its first answer.
    first: u32,
    /// The price of all answers before it.
    before: Balance,
    /// The price of its answers.
    amount: Balance,
    /// The price of the dearest of its answers.
    dearest: Balance,
    /// The tree over its receipts.
    tree: ReceiptTree,
}

impl Bundle {
    /// An empty bundle that begins with answer number `first`, where all earlier ones cost `before`.
    pub fn starting(first: u32, before: Balance) -> Self {
        Self {
            first,
            before,
            ..Self::default()
        }
    }

    /// The number of its first answer.
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// The number of its answers.
    pub const fn leaves(&self) -> u32 {
        self.tree.leaves()
    }

    /// The price of its answers.
    pub const fn amount(&self) -> Balance {
        self.amount
    }

    /// The price of its answers, if each cost as much as the dearest one.
    pub fn exposure(&self) -> Balance {
        exposure(self.leaves(), self.dearest)
    }

    /// The same with one more answer of `price`.
    pub fn exposure_with(&self, price: Balance) -> Balance {
        exposure(self.leaves().saturating_add(1), self.dearest.max(price))
    }

    /// The number of the next answer: how many answers of the session are paid.
    pub const fn count(&self) -> u32 {
        self.first.saturating_add(self.tree.leaves())
    }

    /// The price of all answers of the session up to its last one.
    pub const fn total(&self) -> Balance {
        self.before.saturating_add(self.amount)
    }

    /// The empty bundle after this one.
    pub fn next(&self) -> Self {
        Self::starting(self.count(), self.total())
    }

    /// The bundle with one more receipt. `None` where its number is not the next, where it begins a bundle that is
    /// neither this one nor the next, or where a sum is not representable.
    pub fn with(&self, receipt: &SessionReceipt) -> Option<Self> {
        let n = self.count();
        if receipt.n != n {
            return None;
        }
        let mut bundle = match receipt.first {
            first if first == self.first => self.clone(),
            first if first == n => self.next(),
            _ => return None,
        };
        n.checked_add(1)?;
        bundle.amount = bundle.amount.checked_add(receipt.price)?;
        bundle.before.checked_add(bundle.amount)?;
        bundle.dearest = bundle.dearest.max(receipt.price);
        bundle.tree.push(&receipt.hash()).then_some(bundle)
    }

    /// The voucher over its receipts.
    pub fn voucher(&self, agreement: &Agreement) -> Voucher {
        Voucher {
            genesis: agreement.genesis,
            session: agreement.session,
            terms: agreement.terms,
            first: self.first,
            count: self.count(),
            amount: self.total(),
            dearest: self.dearest,
            root: self.tree.root(),
        }
    }
}

/// The price of `leaves` answers, if each cost as much as the `dearest` one. False answers of a bundle win no more
/// than their number times that price, however unequal the prices are.
pub(crate) fn exposure(leaves: u32, dearest: Balance) -> Balance {
    dearest.saturating_mul(leaves.into())
}
