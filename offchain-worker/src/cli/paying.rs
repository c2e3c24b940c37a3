//! What the commands that pay for sessions share: their folders, their voucher keys, their price limits.

use super::money::{Amount, Token};
use super::Global;
use crate::chain::Node;
use crate::keys::Key;
use anyhow::Context;
use noema_sessions::SessionPrices;
use std::path::{Path, PathBuf};

/// The folder in which `purpose` keeps the sessions of all accounts on the chain of `node`.
pub(super) fn chain_folder(global: &Global, purpose: &str, node: &Node) -> anyhow::Result<PathBuf> {
    let chain: String = hex::encode(node.genesis()).chars().take(16).collect();
    Ok(global.home()?.join(purpose).join(chain))
}

/// The folder in which `purpose` keeps the sessions of this account on the chain of `node`.
pub(super) fn folder(
    global: &Global,
    purpose: &str,
    node: &Node,
    account: &Key,
) -> anyhow::Result<PathBuf> {
    Ok(chain_folder(global, purpose, node)?.join(account.address()))
}

/// The store of the sessions in a folder.
pub(super) fn store(folder: &Path) -> PathBuf {
    folder.join("sessions.redb")
}

/// The voucher key of the sessions in a folder, which is made once.
pub(super) fn voucher_key(folder: &Path) -> anyhow::Result<Key> {
    let path = folder.join("voucher.key");
    Ok(match path.exists() {
        true => Key::from_file(&path)?,
        false => Key::generate(&path)?,
    })
}

/// The highest prices of a token, where `limit` is that of 1,000.
pub(super) fn price_limit(token: &Token, limit: Option<&Amount>) -> anyhow::Result<SessionPrices> {
    let each = match limit {
        None => u128::MAX,
        Some(limit) => token.units(limit).context("--max-price")? / 1_000,
    };
    Ok(SessionPrices {
        per_prompt_token: each,
        per_cached_token: each,
        per_answer_token: each,
    })
}
