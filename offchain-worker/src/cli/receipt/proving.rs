//! `noema-worker receipt prove`.

use super::ProveArgs;
use crate::chain::{Link, Node};
use crate::cli::{paying, Global};
use crate::gateway::{ChainReceipts, LocalModel};
use anyhow::Context;
use noema_executor::DeviceOptions;
use noema_gateway::{ReceiptFault, ReceiptSource};
use noema_receipts::{proof_keys, ReceiptFile, StateProof};
use noema_session_transport::{PayerStore, SessionStoreError};
use sp_core::H256;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The commands that keep sessions in the home folder; see [`paying::folder`].
const PURPOSES: [&str; 2] = ["ask", "gateway"];

pub(super) async fn prove(global: &Global, args: &ProveArgs) -> anyhow::Result<()> {
    let mut file = super::read(&args.file)?;
    let node = global.node().await?;
    file = match newer(global, &node, &file).await? {
        Some(newer) => newer,
        None => {
            println!("no store in the home folder has this receipt; its voucher and its claim stay as they are");
            file
        }
    };
    let block = match args.at {
        Some(block) => block,
        None => node.finalized_hash().await?,
    };
    let proof = proof_of(&node, &file, block).await?;
    println!("proof of block {}, {block:?}", proof.header.number);
    file.proof = Some(proof);
    super::write(&args.file, &file)
}

/// A proof for a file, of this block.
pub(super) async fn proof_of(
    node: &Node,
    file: &ReceiptFile,
    block: H256,
) -> anyhow::Result<StateProof> {
    let proof = node.prove(block, &proof_keys(file)).await;
    let proof = proof.with_context(|| {
        format!("the node at {} gives no proof of block {block:?}; if it no longer has the state of that block, use a node with --state-pruning archive, or a later block", node.url())
    })?;
    proof.with_context(|| {
        format!(
            "the node at {} does not know block {block:?}; it is of another chain, or of a fork",
            node.url()
        )
    })
}

/// The file as a store in the home folder has it now; `None` where none has the receipt.
async fn newer(
    global: &Global,
    node: &Arc<Node>,
    file: &ReceiptFile,
) -> anyhow::Result<Option<ReceiptFile>> {
    let link = Link::new(node.clone());
    for path in stores(global, node)? {
        let store = match PayerStore::open(&path) {
            Ok(store) => Arc::new(store),
            Err(SessionStoreError::InUse(path)) => {
                println!("{} is in use, and not searched", path.display());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let model = LocalModel {
            library: global.library()?,
            checkpoint: file.signed.receipt.checkpoint,
            device: DeviceOptions::default(),
        };
        let receipts = ChainReceipts::new(link.clone(), store, model);
        match receipts.file(file.hash()).await {
            Ok(newer) => return Ok(Some(newer)),
            Err(ReceiptFault::Unknown) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(None)
}

/// The stores of sessions on the chain of `node` in the home folder.
fn stores(global: &Global, node: &Node) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for purpose in PURPOSES {
        let folder = paying::chain_folder(global, purpose, node)?;
        let accounts = subfolders(&folder);
        let accounts = accounts.with_context(|| format!("cannot read {}", folder.display()))?;
        let stores = accounts.iter().map(|account| paying::store(account));
        found.extend(stores.filter(|store| store.exists()));
    }
    Ok(found)
}

/// The entries of a folder, none where it does not exist.
fn subfolders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)?;
    let mut paths: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_has_no_stores() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = subfolders(&folder.path().join("ask"));
        assert!(none.expect("no error").is_empty());
        for account in ["b", "a"] {
            std::fs::create_dir(folder.path().join(account)).expect("room");
        }
        let found = subfolders(folder.path()).expect("it is there");
        assert_eq!(found, ["a", "b"].map(|name| folder.path().join(name)));
    }
}
