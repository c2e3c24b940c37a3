//! `noema-worker receipt`.

mod proving;
mod told;
mod verifying;

use super::device::DeviceArgs;
use super::Global;
use anyhow::{bail, Context};
use clap::{Args, Subcommand};
use noema_model::whole::write_private;
use noema_receipts::{ReceiptFile, MAX_FILE};
use sp_core::H256;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ReceiptCommand {
    /// Tell in words what a receipt file states. Nothing is verified.
    Show {
        /// Receipt, as `noema-worker ask --receipt` and the gateway's /v1/noema/receipts/HASH/file write it.
        file: PathBuf,
    },
    /// Bring a receipt file up to date, and put a storage proof into it, so that it can be verified without a node.
    Prove(ProveArgs),
    /// Verify a receipt file against one block of the chain, without trusting the node that proves it.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The voucher and the claim over the receipt come from the stores of `noema-worker ask` and of gateways in the
home folder, where one of them has the receipt and is not in use; otherwise they stay as they are in the file.
For a receipt of a gateway that runs, get the file again from it.

The chain removes the record of a session some days after its end, and that of a claim, too. A file with a proof
of an earlier block can still be verified then.

Examples:
  noema-worker receipt prove answer.json
  noema-worker receipt prove answer.json --at 0x1f…")]
pub(super) struct ProveArgs {
    /// Receipt, which is written again.
    file: PathBuf,
    /// Hash of the block whose state the proof is of [default: the node's last finalized block].
    #[arg(long, value_name = "HASH", value_parser = parse_hash)]
    at: Option<H256>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Verified is: this answer has these tokens, and its session is of this checkpoint and this worker; it is a leaf of
this claim, in this stage, or under this voucher, or only signed by the worker. All of it follows from the hash of
one block. Give it with --finalized-hash, or its header with --header, from a source that you trust; without them,
the node is asked for its last finalized block, and a warning says that this trusts the node. Header and proofs
themselves are verified, whichever node serves them. No node is needed for a file with a proof of that block, as
`receipt prove` makes it.

With --recompute, this machine executes the answer again and compares tokens and hidden states. That needs the
files of the checkpoint.

The exit status is 0 if the receipt is verified, 1 if it is not, and 3 if executing it again gives another answer.

Examples:
  noema-worker receipt verify answer.json
  noema-worker receipt verify answer.json --finalized-hash 0x1f…
  noema-worker receipt verify answer.json --recompute")]
pub(super) struct VerifyArgs {
    /// Receipt.
    file: PathBuf,
    /// Header of the finalized block to trust: a file with the JSON of `chain_getHeader`, or with 0x and the digits of
    /// the encoded header [default: none; see above].
    #[arg(long, value_name = "FILE", conflicts_with = "finalized_hash")]
    header: Option<PathBuf>,
    /// Hash of the finalized block to trust [default: the node's last finalized block].
    #[arg(long, value_name = "HASH", value_parser = parse_hash)]
    finalized_hash: Option<H256>,
    /// Execute the answer again on this machine, and compare.
    #[arg(long)]
    recompute: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(super) async fn receipt(global: &Global, command: ReceiptCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReceiptCommand::Show { file } => told::show(global, &read(&file)?),
        ReceiptCommand::Prove(args) => proving::prove(global, &args).await?,
        ReceiptCommand::Verify(args) => return verifying::verify(global, &args).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a receipt file.
pub(super) fn read(path: &Path) -> anyhow::Result<ReceiptFile> {
    let text = read_text(path)?;
    let file = ReceiptFile::read(&text);
    file.with_context(|| format!("{} cannot be used", path.display()))
}

/// Reads a text that is no longer than a receipt file.
fn read_text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let opened = std::fs::File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut text = String::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    let mut opened = opened.take(most.saturating_add(1));
    let length = opened.read_to_string(&mut text);
    match length.with_context(|| format!("cannot read {shown}"))? {
        length if length > MAX_FILE => bail!("{shown} is longer than a receipt file can be"),
        _ => Ok(text),
    }
}

/// Writes a receipt file. Only the user can read it: it has the conversation.
pub(super) fn write(path: &Path, file: &ReceiptFile) -> anyhow::Result<()> {
    let text = format!("{}\n", file.to_json());
    let written = write_private(path, text.as_bytes());
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// A hash on the command line.
fn parse_hash(text: &str) -> Result<H256, String> {
    let mut hash = H256::zero();
    let digits = text.strip_prefix("0x").unwrap_or_default();
    let decoded = hex::decode_to_slice(digits, hash.as_bytes_mut());
    decoded.map_err(|_| "must be 0x and 64 hexadecimal digits".to_owned())?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_64_digits_after_0x() {
        let digits = "1f".repeat(32);
        let hash = parse_hash(&format!("0x{digits}")).expect("a hash");
        assert_eq!(hash, H256::repeat_byte(0x1f));
        for wrong in ["", "0x", digits.as_str(), "0x1f", &format!("0x{digits}00")] {
            let told = parse_hash(wrong).expect_err(wrong);
            assert!(told.contains("64 hexadecimal digits"), "{told}");
        }
    }

    #[test]
    fn what_is_no_receipt_file_is_named_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answer.json");
        let told = || format!("{:#}", read(&path).expect_err("it is none"));
        assert!(told().contains("answer.json"), "{}", told());
        std::fs::write(&path, "{}").expect("room");
        let said = told();
        assert!(
            said.contains("answer.json") && said.contains("no receipt file"),
            "{said}"
        );
        std::fs::write(&path, " ".repeat(MAX_FILE + 1)).expect("room");
        assert!(told().contains("longer"), "{}", told());
    }
}
