//! What an answer cost, and its receipts.

use super::listening::Heard;
use super::Question;
use crate::cli::ask::AskArgs;
use crate::cli::money::Token;
use crate::cli::receipt;
use crate::gateway::ChainReceipts;
use noema_gateway::{CompleteAnswer, ReceiptSource};
use noema_protocol::{CheckpointId, SessionId};
use noema_sessions::AnswerEnd;
use serde::Serialize;
use sp_core::H256;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// An answer as JSON; amounts are in the smallest unit.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    answer: &'a str,
    end: AnswerEnd,
    checkpoint: CheckpointId,
    price: u128,
    prompt_tokens: usize,
    cached_tokens: u32,
    answer_tokens: usize,
    unsigned_tokens: usize,
    first_word_s: Option<f64>,
    answer_s: f64,
    receipts: Vec<ToldReceipt>,
    #[serde(skip)]
    token: &'a Token,
}

/// A receipt of an answer.
#[derive(Serialize)]
struct ToldReceipt {
    hash: H256,
    session: SessionId,
    n: u32,
    file: Option<PathBuf>,
}

impl<'a> Told<'a> {
    pub(super) fn new(
        token: &'a Token,
        heard: &'a Heard,
        answered: &CompleteAnswer,
        question: &Question,
        asked: Instant,
    ) -> Self {
        let since = |time: Instant| time.duration_since(asked).as_secs_f64();
        let receipts = answered.receipts.iter().map(|signed| ToldReceipt {
            hash: signed.receipt.hash(),
            session: signed.receipt.session,
            n: signed.receipt.n,
            file: None,
        });
        Self {
            answer: &heard.text,
            end: answered.end,
            checkpoint: question.kept.checkpoint,
            price: answered.price,
            prompt_tokens: question.prompt.len(),
            cached_tokens: answered.cached_tokens,
            answer_tokens: heard.tokens,
            unsigned_tokens: answered.unsigned.iter().map(|part| part.tokens).sum(),
            first_word_s: heard.first_word.map(since),
            answer_s: since(Instant::now()),
            receipts: receipts.collect(),
            token,
        }
    }

    /// Writes the receipts into files: the first into `path`, each other one into one with its number.
    pub(super) async fn write_receipts(
        &mut self,
        receipts: &ChainReceipts,
        path: &Path,
    ) -> anyhow::Result<()> {
        for (place, told) in self.receipts.iter_mut().enumerate() {
            let path = numbered(path, place);
            receipt::write(&path, &receipts.file(told.hash).await?)?;
            told.file = Some(path);
        }
        Ok(())
    }

    /// Prints it.
    pub(super) fn tell(&self, args: &AskArgs) -> anyhow::Result<()> {
        if args.json {
            return crate::cli::print_json(self);
        }
        let first = self.first_word_s.map_or_else(String::new, |seconds| {
            format!(", the first word after {seconds:.1} s")
        });
        println!(
            "\nanswered after {:.1} s{first}{}",
            self.answer_s,
            why(self.end)
        );
        println!(
            "  tokens       {} of the prompt, of which {} were cached, and {} of the answer",
            self.prompt_tokens, self.cached_tokens, self.answer_tokens
        );
        if self.unsigned_tokens > 0 {
            println!(
                "  unsigned     {} of the answer: a worker broke off after them, and no receipt states them",
                self.unsigned_tokens
            );
        }
        println!("  cost         {}", self.token.show(self.price));
        println!("  checkpoint   {}", self.checkpoint);
        for told in &self.receipts {
            let ToldReceipt {
                hash, session, n, ..
            } = told;
            println!("  receipt      {hash:?}, answer {n} of session {session}");
            if let Some(path) = &told.file {
                println!("               in {}", path.display());
            }
        }
        if let Some(path) = self.receipts.first().and_then(|told| told.file.as_ref()) {
            println!(
                "verify it with: noema-worker receipt verify {}",
                path.display()
            );
        }
        Ok(())
    }
}

/// Why an answer ended, where that needs a word.
const fn why(end: AnswerEnd) -> &'static str {
    match end {
        AnswerEnd::Stop => "",
        AnswerEnd::Length => "; it is as long as --max-tokens allows",
        AnswerEnd::ByPayer => "; it was stopped, and the words so far are paid",
    }
}

/// The file of the receipt at this place.
fn numbered(path: &Path, place: usize) -> PathBuf {
    if place == 0 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{}", place.saturating_add(1)));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receipt_of_an_answer_has_a_file_of_its_own() {
        let name = |path: &str, place| numbered(Path::new(path), place);
        assert_eq!(name("a/b.json", 0), Path::new("a/b.json"));
        assert_eq!(name("a/b.json", 1), Path::new("a/b.2.json"));
        assert_eq!(name("b", 2), Path::new("b.3"));
    }
}
