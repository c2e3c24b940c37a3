//! Options of `noema-worker run` for sharing files with other operators.

use crate::service::Listen;
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

#[derive(Debug, Args)]
pub(super) struct ShareArgs {
    /// Address and UDP port, such as 0.0.0.0:4433, at which to share the loaded checkpoints and the files of
    /// training rounds with other operators, or `off` [default: a free port of 127.0.0.1 with development
    /// keys, off with any other].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<Given>,
    /// Public address and UDP port, such as 203.0.113.7:4433, at which other operators reach the address of
    /// --listen. May be given up to four times [default: the address of --listen].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) public_address: Vec<SocketAddr>,
}

/// The value of `--listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Off,
    At(SocketAddr),
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| {
                format!("`{text}` is neither off nor an address with a port such as 0.0.0.0:4433")
            }),
        }
    }
}

impl ShareArgs {
    /// The address at which a worker with these keys shares files.
    pub(super) fn listen(&self, keys: &[String]) -> Listen {
        let development = keys.iter().all(|key| key.starts_with("//"));
        match self.listen {
            Some(Given::At(address)) => Listen::At(address),
            None if development => Listen::IfPossible((Ipv4Addr::LOCALHOST, 0).into()),
            Some(Given::Off) | None => Listen::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_takes_an_address_or_off() {
        assert_eq!("off".parse(), Ok(Given::Off));
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 4_433));
        assert_eq!("127.0.0.1:4433".parse(), Ok(Given::At(here)));
        for wrong in ["on", "127.0.0.1", "example.org:4433", "http://127.0.0.1:1"] {
            assert!(wrong.parse::<Given>().is_err(), "{wrong}");
        }
    }
    #[test]
    fn development_keys_share_by_default_and_others_do_not() {
        let args = |listen| ShareArgs {
            listen,
            public_address: Vec::new(),
        };
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let development = ["//Alice//worker".to_owned()];
        let file = ["//Alice//worker".to_owned(), "worker.key".to_owned()];
        let none = args(None);
        assert_eq!(none.listen(&development), Listen::IfPossible(here));
        assert_eq!(none.listen(&file), Listen::Off);
        assert_eq!(args(Some(Given::Off)).listen(&development), Listen::Off);
        assert_eq!(args(Some(Given::At(here))).listen(&file), Listen::At(here));
    }
}
