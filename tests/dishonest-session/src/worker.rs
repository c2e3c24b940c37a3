//! A worker that answers with tokens of its own, and breaks the rules.

use crate::peer::{endpoint, frame, read};
use crate::ChainArgs;
use anyhow::{bail, Context};
use clap::{Args, ValueEnum};
use iroh::endpoint::{Connection, SendStream};
use noema_protocol::hashing;
use noema_session_transport::{AskMessage, FromWorker, Sign, SignedReceipt, ToWorker, ALPN};
use noema_sessions::{AnswerEnd, WorkerSide};
use noema_worker::chain::Node;
use noema_worker::keys::Key;
use noema_worker::payer;
use sp_core::H256;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    chain: ChainArgs,
    /// How the worker breaks the rules.
    #[arg(long, value_enum)]
    behaviour: Behaviour,
}

/// A way to break the rules of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Behaviour {
    /// The reply to an ask is no message.
    Garbage,
    /// The answer has a token more than was asked for.
    ExtraToken,
    /// The receipt states another answer than the tokens that were sent.
    OtherReceipt,
    /// The price in the receipt is higher than that of the terms.
    Dear,
    /// The signature is that of another receipt.
    OldSignature,
}

/// The worker: its node, its hot key, and what it does.
struct Dishonest {
    node: Arc<Node>,
    key: Key,
    behaviour: Behaviour,
}

pub(crate) async fn run(args: WorkerArgs) -> anyhow::Result<()> {
    let dishonest = Arc::new(Dishonest {
        node: args.chain.node().await?,
        key: Key::load(&args.chain.key)?,
        behaviour: args.behaviour,
    });
    let endpoint = endpoint().await?;
    endpoint.set_alpns(vec![ALPN.to_vec()]);
    let sockets = endpoint.bound_sockets();
    let port = sockets.first().context("the endpoint has no port")?.port();
    let id: String = endpoint
        .id()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    println!("endpoint 0x{id} {port}");
    while let Some(incoming) = endpoint.accept().await {
        let dishonest = dishonest.clone();
        tokio::spawn(async move {
            let Ok(connection) = incoming.await else {
                return;
            };
            if let Err(error) = dishonest.serve(&connection).await {
                eprintln!("{error:#}");
            }
        });
    }
    Ok(())
}

impl Dishonest {
    async fn serve(&self, connection: &Connection) -> anyhow::Result<()> {
        // The payer ends the connection.
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let reply = match read(&mut receive).await?.context("no message")? {
                ToWorker::Hello { .. } => FromWorker::Hello { version: 1 },
                ToWorker::Open { .. } => FromWorker::Opened { count: 0 },
                ToWorker::Ask(ask) => {
                    self.answer(&mut send, *ask).await?;
                    continue;
                }
                other => bail!("{other:?} is not expected"),
            };
            send.write_all(&frame(&reply)?).await?;
            send.finish()?;
        }
        Ok(())
    }

    /// Answers as an honest worker would, but for the behaviour.
    async fn answer(
        &self,
        send: &mut SendStream,
        AskMessage { session, ask, .. }: AskMessage,
    ) -> anyhow::Result<()> {
        let terms = payer::terms(&self.node, session).await?;
        let agreement = terms.terms.agreement(terms.genesis);
        let mut side = WorkerSide::new(agreement, terms.held, u128::MAX, u128::MAX);
        side.ask(&ask)?;
        let most = u32::from(ask.parameters.max_tokens);
        let mut tokens: Vec<u32> = (0..most).map(|token| 1_000 + token).collect();
        let stated = (hashing::tokens_hash(&tokens), most);
        let mut receipt = side.finish(0, stated, AnswerEnd::Length, H256::zero())?;
        let mut signed = receipt;
        match self.behaviour {
            Behaviour::Garbage => {
                send.write_all(b"this is no message of the protocol")
                    .await?;
                return Ok(send.finish()?);
            }
            Behaviour::ExtraToken => tokens.push(1),
            Behaviour::OtherReceipt => tokens.reverse(),
            Behaviour::Dear => {
                receipt.price = receipt.price.saturating_add(1);
                signed = receipt;
            }
            Behaviour::OldSignature => signed.n = signed.n.wrapping_sub(1),
        }
        let signature = self.key.sign(&signed.hash());
        let answered = FromWorker::Answered(Box::new(SignedReceipt { receipt, signature }));
        send.write_all(&frame(&FromWorker::Tokens(tokens))?).await?;
        send.write_all(&frame(&answered)?).await?;
        Ok(send.finish()?)
    }
}
