//! `noema-worker claim`.

use super::money::Token;
use super::values::within;
use super::Global;
use crate::chain::calls::ClaimReward;
use crate::chain::types::{Balance, BlockNumber, Claimable};
use crate::chain::{At, ChainError, Dues, Included, Node};
use crate::keys::{address, load_account, Key};
use crate::store::AccountBytes;
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

/// The account that signs by default.
const DEFAULT_ACCOUNT: &str = "//Alice";

#[derive(Debug, Args)]
#[command(after_help = "\
Any account may sign; the account that worked is paid, which is an operator's controller. A hot key
claims without a fee, any other account pays the fee of a transaction. `noema-worker run` claims by
itself when an epoch has ended.

Examples:
  noema-worker claim --key validator.key
  noema-worker claim --account //George --epoch 12
  noema-worker claim --key validator.key --account 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")]
pub(super) struct ClaimArgs {
    /// Account to claim for: a key file or a development key, which signs; with --key also an address
    /// [default: //Alice].
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Key that signs: a key file or a development key. Without --account, a hot key claims for its
    /// operator [default: the key of --account].
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Epoch to claim for, by number [default: every epoch with a reward].
    #[arg(long, value_parser = within(0..=u32::MAX))]
    epoch: Option<u32>,
    /// Print one JSON object; amounts are in the smallest unit.
    #[arg(long)]
    json: bool,
}

/// Why a claim would be refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ClaimError {
    /// The epoch has not ended.
    #[error("epoch {epoch} has not ended: its last block is {ends_at}, and block {now} is final; claim once it has")]
    EpochNotClosed {
        epoch: u32,
        ends_at: BlockNumber,
        now: u64,
    },
    /// The time to claim is over.
    #[error("the time to claim for epoch {epoch} ended with block {claimable_to}; unclaimed rewards are never minted. Claim all other rewards with: noema-worker claim, without --epoch")]
    EpochExpired {
        epoch: u32,
        claimable_to: BlockNumber,
    },
    /// The reward is below the existential deposit of a new account.
    #[error("{account} does not exist, and {reward} is too little to create it; send it at least {least}, then claim")]
    CannotReceive {
        account: String,
        reward: String,
        least: String,
    },
}

/// The event of a payment.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Claimed {
    amount: Balance,
}

/// A reward that was paid.
#[derive(Debug, Serialize)]
struct Paid {
    epoch: u32,
    amount: Balance,
    block: u64,
}

pub(super) async fn claim(global: &Global, args: ClaimArgs) -> anyhow::Result<()> {
    let named = args.key.as_ref().or(args.account.as_ref());
    let signer = Key::load(named.map_or(DEFAULT_ACCOUNT, String::as_str))?;
    let account = match (&args.key, &args.account) {
        (Some(_), Some(account)) => load_account(account)?,
        _ => signer.account(),
    };
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let at = node.finalized().await?;
    let account = at.controller_of(&account).await?.unwrap_or(account);
    let is_hot_key = at.controller_of(&signer.account()).await?.is_some();
    let mut dues = at.dues(&account).await?;
    if let Some(epoch) = args.epoch {
        check_time(&at, &dues, epoch).await?;
        dues.epochs.retain(|claimable| claimable.epoch == epoch);
    }
    check_account(&at, &account, &dues, &token).await?;
    let report = Report {
        json: args.json,
        token,
        account,
        paid: Vec::new(),
    };
    if dues.epochs.is_empty() {
        return report.nothing(&dues, args.epoch);
    }
    report.claim(&node, &signer, is_hot_key, dues.epochs).await
}

/// Fails unless an epoch can be claimed now.
async fn check_time(at: &At, dues: &Dues, epoch: u32) -> anyhow::Result<()> {
    let running = dues.running.as_ref().map(|running| running.epoch);
    let running = running.context("this chain issues no subsidies")?;
    let window = at.claim_window()?;
    match standing(epoch, running, window) {
        Standing::Open => Ok(()),
        Standing::NotClosed => Err(ClaimError::EpochNotClosed {
            epoch,
            ends_at: last_block(at, epoch).await?,
            now: at.number(),
        }
        .into()),
        Standing::Expired => Err(ClaimError::EpochExpired {
            epoch,
            claimable_to: last_block(at, epoch.saturating_add(window)).await?,
        }
        .into()),
    }
}

async fn last_block(at: &At, epoch: u32) -> Result<BlockNumber, ChainError> {
    let scheduled = at.scheduled_epoch(epoch).await?;
    Ok(scheduled.map_or(0, |scheduled| scheduled.ends_at))
}

/// Whether an epoch can be claimed.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    NotClosed,
    Open,
    Expired,
}

fn standing(epoch: u32, running: u32, window: u32) -> Standing {
    match running.checked_sub(epoch) {
        None | Some(0) => Standing::NotClosed,
        Some(age) if age > window => Standing::Expired,
        Some(_) => Standing::Open,
    }
}

/// Fails if the first payment is too small to create the account.
async fn check_account(
    at: &At,
    account: &AccountBytes,
    dues: &Dues,
    token: &Token,
) -> anyhow::Result<()> {
    let Some(first) = dues.epochs.first() else {
        return Ok(());
    };
    let least: Balance = at.constant("Balances", "ExistentialDeposit")?;
    let owned = at.total_balance(account).await?;
    if owned.saturating_add(first.reward) < least {
        return Err(ClaimError::CannotReceive {
            account: address(account),
            reward: token.show(first.reward),
            least: token.show(least),
        }
        .into());
    }
    Ok(())
}

/// The claims, printed as they become final or all at the end.
struct Report {
    json: bool,
    token: Token,
    account: AccountBytes,
    paid: Vec<Paid>,
}

impl Report {
    /// Submits all claims in sequence, so that they can share blocks, and then waits until all are final.
    async fn claim(
        mut self,
        node: &Node,
        signer: &Key,
        is_hot_key: bool,
        due: Vec<Claimable>,
    ) -> anyhow::Result<()> {
        let mut sent = Vec::new();
        let mut failed = Vec::new();
        for Claimable { epoch, .. } in due {
            let call = ClaimReward {
                account: AccountId32(self.account),
                epoch,
            };
            let handed = match is_hot_key {
                true => node.send_duty(call, signer).await,
                false => node.send(call, signer).await,
            };
            match handed {
                Ok(fate) => sent.push((epoch, fate)),
                Err(error) => {
                    // The remaining claims would fail, too, or leave a gap in the signer's nonces.
                    failed.push((epoch, error));
                    break;
                }
            }
        }
        for (epoch, fate) in sent {
            match fate.await {
                Ok(included) => self.note(epoch, &included)?,
                Err(error) => failed.push((epoch, error)),
            }
        }
        // Any account may claim for any other: if an epoch has no reward left, another signer has claimed it.
        let left = node.finalized().await?.dues(&self.account).await?.epochs;
        for (epoch, error) in failed {
            if left.iter().any(|claimable| claimable.epoch == epoch) {
                self.end()?;
                return Err(anyhow::Error::new(error).context(format!(
                    "the claim for epoch {epoch} failed; claim the remaining rewards with the same command"
                )));
            }
            self.line(&format!(
                "epoch {epoch:>6}  was claimed by another signer in the meantime, for the same account"
            ));
        }
        self.end()
    }

    fn note(&mut self, epoch: u32, included: &Included) -> anyhow::Result<()> {
        let Claimed { amount } = included
            .event("Issuance", "Claimed")?
            .context("the call succeeded without the event Issuance.Claimed")?;
        let block = included.block;
        self.line(&format!(
            "epoch {epoch:>6}  {}, in block {block}",
            self.token.show(amount)
        ));
        self.paid.push(Paid {
            epoch,
            amount,
            block,
        });
        Ok(())
    }

    /// Prints that there is nothing to claim, and the estimate for the current epoch.
    fn nothing(self, dues: &Dues, epoch: Option<u32>) -> anyhow::Result<()> {
        let of = epoch.map_or(String::new(), |epoch| format!(" of epoch {epoch}"));
        self.line(&format!(
            "nothing to claim{of} for {}",
            address(&self.account)
        ));
        let outlook = dues.running.as_ref().filter(|running| running.estimate > 0);
        if let Some(running) = outlook {
            self.line(&format!(
                "epoch {} runs until block {}; if it ended now, the reward would be {}",
                running.epoch,
                running.ends_at,
                self.token.show(running.estimate)
            ));
        }
        match self.json {
            true => self.end(),
            false => Ok(()),
        }
    }

    fn end(&self) -> anyhow::Result<()> {
        let received: Balance = self.paid.iter().map(|paid| paid.amount).sum();
        if self.json {
            #[derive(Serialize)]
            struct Summary<'a> {
                account: String,
                claimed: &'a [Paid],
                received: Balance,
            }
            let summary = Summary {
                account: address(&self.account),
                claimed: &self.paid,
                received,
            };
            super::print_json(&summary)?;
        } else {
            println!(
                "{} received {}",
                address(&self.account),
                self.token.show(received)
            );
        }
        Ok(())
    }

    fn line(&self, line: &str) {
        if !self.json {
            println!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_can_be_claimed_from_its_end_until_the_window_closes() {
        assert_eq!(standing(4, 4, 3), Standing::NotClosed);
        assert_eq!(standing(5, 4, 3), Standing::NotClosed);
        assert_eq!(standing(3, 4, 3), Standing::Open);
        assert_eq!(standing(1, 4, 3), Standing::Open);
        assert_eq!(standing(0, 4, 3), Standing::Expired);
        assert_eq!(standing(u32::MAX, 4, 3), Standing::NotClosed);
    }

    #[test]
    fn a_refusal_says_how_to_go_on() {
        let early = ClaimError::EpochNotClosed {
            epoch: 4,
            ends_at: 299,
            now: 250,
        };
        assert!(early.to_string().ends_with("claim once it has"));
        let late = ClaimError::EpochExpired {
            epoch: 0,
            claimable_to: 5_459,
        };
        assert!(late.to_string().contains("block 5459"));
        let poor = ClaimError::CannotReceive {
            account: "5Grw".into(),
            reward: "0.0001 NOEMA".into(),
            least: "0.001 NOEMA".into(),
        };
        assert!(poor.to_string().contains("send it at least 0.001 NOEMA"));
    }
}
