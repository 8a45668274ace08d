//! The standard output. Whoever reads it may have enough of it, as `head` does: the program ends then,
//! without a word.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
};

/// Writes a line.
pub(super) fn line(text: impl Display) {
    write(format_args!("{text}\n"));
}

/// Writes a text as it is.
pub(super) fn write(text: impl Display) {
    let mut output = io::stdout().lock();
    let written = write!(output, "{text}").and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => eprintln!("The output cannot be written: {error}."),
        Ok(()) => {}
    }
}
