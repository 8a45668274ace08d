//! Being told to stop: one trigger, any number of listeners, and the signals that pull it.

use std::time::Duration;
use tokio::sync::watch;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Not told anything.
    Serving,
    /// Not ready any more for whoever asks, and serving still.
    Leaving,
    /// Nothing new is taken.
    Stopping,
}

/// Stops the server.
#[derive(Clone)]
pub(crate) struct Trigger(watch::Sender<Phase>);

/// Learns that the server stops.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(watch::Receiver<Phase>);

/// A trigger and what it is connected to.
pub(crate) fn shutdown() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(Phase::Serving);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    /// Stops the server. A second time does nothing more.
    pub(crate) fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }

    /// Says that the server is about to stop, so that a load balancer brings nothing more, and stops it
    /// after this time.
    async fn leave(&self, delay: Duration) {
        self.0.send_replace(Phase::Leaving);
        tokio::time::sleep(delay).await;
        self.stop();
    }
}

impl Shutdown {
    /// Whether the server stops or is about to.
    pub(crate) fn is_near(&self) -> bool {
        *self.0.borrow() > Phase::Serving
    }

    /// Waits until the server is told to stop. If nobody is left who could tell, that counts too.
    pub(crate) async fn requested(&mut self) {
        let _ = self.0.wait_for(|phase| *phase == Phase::Stopping).await;
    }
}

/// Stops the server this long after the first SIGTERM or SIGINT; ends the process at the second.
#[cfg(unix)]
pub(crate) fn on_signals(trigger: Trigger, delay: Duration) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for stops in 1_u8.. {
            tokio::select! {
                _ = terminate.recv() => {},
                _ = interrupt.recv() => {},
            }
            if stops > 1 {
                std::process::exit(1);
            }
            tracing::info!("stopping: requests under way are finished, no new ones taken");
            let trigger = trigger.clone();
            tokio::spawn(async move { trigger.leave(delay).await });
        }
    });
    Ok(())
}

/// Does this at every SIGHUP, which would end the process otherwise.
#[cfg(unix)]
pub(crate) fn on_hangup(act: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            act();
        }
    });
    Ok(())
}

/// Stops the server this long after the first Ctrl-C; ends the process at the second.
#[cfg(not(unix))]
pub(crate) fn on_signals(trigger: Trigger, delay: Duration) -> std::io::Result<()> {
    tokio::spawn(async move {
        for stops in 1_u8.. {
            let pressed = tokio::signal::ctrl_c().await;
            if stops > 1 || pressed.is_err() {
                std::process::exit(1);
            }
            let trigger = trigger.clone();
            tokio::spawn(async move { trigger.leave(delay).await });
        }
    });
    Ok(())
}
