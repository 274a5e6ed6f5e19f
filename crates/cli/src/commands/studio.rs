//! `ganatomy studio [DIR|MODEL]`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::envelope;
use crate::exit::{self, Code};
use anyhow::Result;
use serde::Serialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use studio::{Access, Asked};
use train::signals::Interrupt;

/// Paint with units in a browser: a page on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Serves a page on this machine, to paint trees and doors into generated pictures with the units that
make them, to look at what units do, and to watch runs. Nothing is loaded from elsewhere, and nobody
else can reach it. The address to open is printed. With --host other machines can reach it: the
address then holds a token, without which nothing is answered; put a proxy with TLS before it where
the network is not trusted. Ctrl-C ends it.

docs/studio.md has the page and the API.

Examples:
  ganatomy studio
  ganatomy studio runs/00003-scenes-paper
  ganatomy studio g.safetensors --dissection found --port 9000
  ganatomy studio runs --host 0.0.0.0")]
pub(crate) struct Studio {
    /// A model, a run, a dissection, or a folder of them [default: the shipped scenes]
    #[arg(value_name = "DIR|MODEL")]
    what: Option<PathBuf>,

    /// What was found about the units of the generator [default: what lies beside it, or comes with a shipped one]
    #[arg(long, value_name = "DIR")]
    dissection: Option<PathBuf>,

    /// What says what is where [default: that of the dissection]
    #[arg(long, value_name = "SEG")]
    segmenter: Option<PathBuf>,

    /// The port; 0 takes one that is free
    #[arg(long, default_value_t = 7780)]
    port: u16,

    /// The address to listen on; others than this machine's own need the token that is printed
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,

    /// A name by which other machines call this one, for --host; may be repeated
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    #[command(flatten)]
    computing: Computing,
}

#[derive(Serialize)]
struct Json<'a> {
    url: &'a str,
}

impl Studio {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let asked = Asked { what: self.what, dissection: self.dissection, segmenter: self.segmenter };
        let studio = Arc::new(studio::Studio::open(asked, &device)?);
        let names = self.name.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        let access = Access { names, ..Access::new(self.host, self.port)? };
        let interrupt = Interrupt::install()?;
        let (stop, mut told) = (interrupt.clone(), Ok(()));
        let ready = |url: &str| {
            told =
                if envelope::is_wanted() { envelope::line(&Json { url }) } else { console::print(&format!("{url}\n")) };
            console.say("Ctrl-C ends it");
        };
        studio::serve(studio, access, ready, move || stop.requested().is_some())?;
        told?;
        Ok(exit::of_stop(interrupt.requested()))
    }
}
