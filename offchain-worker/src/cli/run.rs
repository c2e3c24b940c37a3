//! `noema-worker run`.

use super::device::DeviceArgs;
use super::rounds::RoundsArgs;
use super::share::ShareArgs;
use super::signals::stop_at_signal;
use super::Global;
use crate::keys::Key;
use crate::service::{Config, ServiceError, Worker};
use anyhow::anyhow;
use clap::{Args, ValueEnum};
use noema_protocol::Role;
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing::info;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Hot key: a key file, or a development key such as //Alice//worker. May be given several times, to
    /// run several operators in one process, which share the model.
    #[arg(long, required = true, value_name = "KEY")]
    key: Vec<String>,
    /// Roles to take on, separated by commas, such as serve,validate [default: those that the chain records
    /// for each key].
    #[arg(long, value_enum, value_delimiter = ',')]
    roles: Vec<RoleName>,
    /// Checkpoint to load, by its folder or a prefix of its id. May be given several times [default: those
    /// that the operators serve].
    #[arg(long, value_name = "CHECKPOINT")]
    checkpoint: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Large pages: read the weights into large pages instead of mapping their file. This speeds up the
    /// processor, most of all in a virtual machine, but each process then has its own copy.
    #[arg(long)]
    large_pages: bool,
    #[command(flatten)]
    share: ShareArgs,
    /// Canonical checkpoints: when another checkpoint of a family that the operators serve becomes
    /// canonical, fetch it and serve it in place of its predecessor.
    #[arg(long)]
    follow_canonical: bool,
    /// Do not claim the operators' rewards when an epoch has ended; see `noema-worker claim`.
    #[arg(long)]
    no_claim: bool,
    /// Address and TCP port, such as 127.0.0.1:9616, for Prometheus metrics at /metrics and health at
    /// /health [default: none; they are not served].
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_addr: Option<SocketAddr>,
    /// Job store, a file [default: jobs/CHAIN/OPERATOR.redb in the home folder].
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Trust the weights on disk: do not hash them before the start.
    #[arg(long)]
    trust_weights: bool,
    #[command(flatten)]
    rounds: RoundsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Answer requests.
    Serve,
    /// Re-execute answers: check them, and judge those that are challenged.
    Validate,
    /// Contribute to rounds of training.
    Train,
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::Serve => Role::Worker,
            Self::Validate => Role::Validator,
            Self::Train => Role::Trainer,
        }
    }
}

impl RunArgs {
    fn config(self, global: &Global) -> anyhow::Result<Config> {
        let keys = self.key.iter().map(|source| Key::load(source));
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Config {
            url: global.url.clone(),
            home: global.home()?,
            keys,
            roles: self.roles.iter().map(|role| role.role()).collect(),
            checkpoints: self.checkpoint,
            device: self.device.options(),
            large_pages: self.large_pages,
            trust_weights: self.trust_weights,
            listen: self.share.listen(&self.key),
            public_addresses: self.share.public_address,
            follow_canonical: self.follow_canonical,
            claims: !self.no_claim,
            metrics: self.metrics_addr,
            store: self.store,
            rounds: self.rounds.config(),
        })
    }
}

pub(super) async fn run(global: &Global, args: RunArgs) -> anyhow::Result<()> {
    let config = args.config(global)?;
    let mut stop = stop_at_signal();
    let started = tokio::select! {
        started = Worker::start(config) => Some(started.map_err(with_option)?),
        () = crate::stopped(&mut stop) => None,
    };
    if let Some(worker) = started {
        crate::stopped(&mut stop).await;
        worker.stop().await;
    }
    info!("stopped");
    Ok(())
}

/// The error, and the option that sets the field of the configuration that it names.
fn with_option(error: ServiceError) -> anyhow::Error {
    let option = match &error {
        ServiceError::Metrics { .. } => "--metrics-addr <ADDRESS:PORT>",
        ServiceError::Listen(_) | ServiceError::NotSharing(_) => "--listen <ADDRESS:PORT>",
        ServiceError::SameOperator(_) => "--key <KEY>",
        ServiceError::NoRole(_) => "--roles <ROLES>",
        ServiceError::NothingToDo => "--family <FAMILY>",
        ServiceError::NoPublicAddress(_) | ServiceError::TooManyAddresses(_) => {
            "--public-address <ADDRESS:PORT>"
        }
        _ => return error.into(),
    };
    anyhow!("{error}; the option is {option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_option_of_its_field() {
        let told = |error| with_option(error).to_string();
        let listen = told(ServiceError::NotSharing("A".into()));
        assert!(listen.contains("Config::listen"), "{listen}");
        assert!(
            listen.ends_with("the option is --listen <ADDRESS:PORT>"),
            "{listen}"
        );
        let other = ServiceError::NotRegistered("A".into());
        let expected = other.to_string();
        assert_eq!(told(other), expected);
    }
}
