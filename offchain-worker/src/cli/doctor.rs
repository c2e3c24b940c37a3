//! `noema-worker doctor`.

use super::device::DeviceArgs;
use super::money::Token;
use super::Global;
use crate::doctor::{self, Area, Diagnosis, Health};
use crate::keys::Key;
use anstyle::{AnsiColor, Style};
use clap::Args;
use indicatif::ProgressBar;
use noema_model::printable::one_line;
use noema_protocol::CheckpointId;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Hot key whose operator is checked: a key file or a development key. May be given several times
    /// [default: none; no operator is checked].
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Checkpoint to check, by a prefix of its id on this machine. May be given several times [default:
    /// those that the operators serve, or else all on this machine].
    #[arg(long, value_name = "CHECKPOINT")]
    checkpoint: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The exit status is 1 if a check failed.
pub(super) async fn doctor(global: &Global, args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut report = Report {
        json: args.json,
        spinner: ProgressBar::new_spinner(),
        findings: Vec::new(),
    };
    report
        .spinner
        .enable_steady_tick(Duration::from_millis(100));
    report.look("the machine");
    report.add(doctor::host(&global.home()?));

    report.look("devices");
    let (threads, memory) = (args.device.threads, args.device.memory_bytes());
    report.add(tokio::task::spawn_blocking(move || doctor::devices(threads, memory)).await?);
    let options = args.device.options();
    let device = match tokio::task::spawn_blocking(move || options.select()).await? {
        Ok(device) => Some(device),
        Err(error) => {
            report.add(vec![doctor::no_device(&error)]);
            None
        }
    };

    report.look("the chain");
    let (findings, node) = doctor::chain(&global.url).await;
    report.add(findings);
    let at = match &node {
        Some(node) => node.finalized().await.ok(),
        None => None,
    };

    let mut served: BTreeSet<CheckpointId> = BTreeSet::new();
    for source in &args.key {
        let key = match Key::load(source) {
            Ok(key) => key,
            Err(error) => {
                report.add(vec![doctor::no_key(source, &error)]);
                continue;
            }
        };
        if let (Some(node), Some(at)) = (&node, &at) {
            let token = Token::of(node).await?;
            let (findings, serves) = doctor::operator(at, &key, &|amount| token.show(amount)).await;
            report.add(findings);
            served.extend(serves);
        }
    }

    let library = global.library()?;
    let mut wanted = served.clone();
    for name in &args.checkpoint {
        wanted.insert(library.find(name)?);
    }
    if wanted.is_empty() {
        wanted.extend(library.ids()?);
    }
    if wanted.is_empty() {
        report.add(vec![doctor::no_checkpoint(&library)]);
    }
    for id in wanted {
        report.look("a checkpoint");
        let (is_served, at) = (served.contains(&id), at.as_ref());
        let (findings, checkpoint) = doctor::checkpoint(&library, id, is_served, at, &|_| {}).await;
        report.add(findings);
        if let (Some(checkpoint), Some(device)) = (checkpoint, device.clone()) {
            let checkpoint = Arc::new(checkpoint);
            let compared =
                tokio::task::spawn_blocking(move || doctor::forward(&checkpoint, &device));
            report.add(vec![compared.await?]);
        }
    }
    report.finish()
}

/// Prints findings one by one, or all at the end.
struct Report {
    json: bool,
    spinner: ProgressBar,
    findings: Vec<Diagnosis>,
}

impl Report {
    fn look(&self, what: &str) {
        self.spinner.set_message(format!("checking {what}"));
    }

    fn add(&mut self, findings: Vec<Diagnosis>) {
        if !self.json {
            for finding in &findings {
                self.spinner.suspend(|| print(finding));
            }
        }
        self.findings.extend(findings);
    }

    fn finish(self) -> anyhow::Result<ExitCode> {
        self.spinner.finish_and_clear();
        let count = |health| self.findings.iter().filter(|f| f.health == health).count();
        let failed = count(Health::Failed);
        if self.json {
            let value = serde_json::json!({
                "passed": failed == 0,
                "findings": self.findings,
            });
            super::print_json(&value)?;
        } else {
            println!(
                "{} passed, {} with warnings, {failed} failed",
                count(Health::Passed),
                count(Health::Warned)
            );
        }
        Ok(match failed {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }
}

fn print(finding: &Diagnosis) {
    let (word, colour) = match finding.health {
        Health::Passed => ("ok", AnsiColor::Green),
        Health::Warned => ("warn", AnsiColor::Yellow),
        Health::Failed => ("FAIL", AnsiColor::Red),
    };
    let area = match finding.area {
        Area::Host => "host",
        Area::Device => "device",
        Area::Checkpoint => "checkpoint",
        Area::Chain => "chain",
        Area::Operator => "operator",
    };
    let style = Style::new().fg_color(Some(colour.into()));
    anstream::println!(
        "{style}{word:<4}{style:#}  {area:<10}  {}: {}",
        one_line(&finding.subject),
        one_line(&finding.detail)
    );
    if let Some(remedy) = &finding.remedy {
        println!("                  -> {}", one_line(remedy));
    }
}
