//! Being told to stop: one trigger, any number of listeners, and the signals that pull it.

use tokio::sync::watch;

/// Stops the server.
#[derive(Clone)]
pub(crate) struct Trigger(watch::Sender<bool>);

/// Learns that the server stops.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

/// A trigger and what it is connected to.
pub(crate) fn shutdown() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    /// Stops the server. A second time does nothing more.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Whether the server stops.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the server is told to stop. If nobody is left who could tell, that counts too.
    pub(crate) async fn requested(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Stops the server at the first SIGTERM or SIGINT; ends the process at the second.
#[cfg(unix)]
pub(crate) fn on_signals(trigger: Trigger) -> std::io::Result<()> {
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
            trigger.stop();
        }
    });
    Ok(())
}

/// Stops the server at the first Ctrl-C; ends the process at the second.
#[cfg(not(unix))]
pub(crate) fn on_signals(trigger: Trigger) -> std::io::Result<()> {
    tokio::spawn(async move {
        for stops in 1_u8.. {
            let pressed = tokio::signal::ctrl_c().await;
            if stops > 1 || pressed.is_err() {
                std::process::exit(1);
            }
            trigger.stop();
        }
    });
    Ok(())
}
