//! How a command fails: sentences for people, objects for programs, and the exit code.

use base::Error;

/// How a command failed.
pub(crate) struct Failure {
    pub(crate) code: u8,
    problems: Vec<serde_json::Value>,
}

impl Failure {
    /// Wrong usage or configuration: exit code 2.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: 2, problems: vec![serde_json::json!({ "error": sentence.into() })] }
    }

    /// It was tried and did not work: exit code 1.
    pub(crate) fn failed(sentence: impl Into<String>) -> Self {
        Self { code: 1, ..Self::usage(sentence) }
    }

    /// Several things wrong with what was given: exit code 2.
    pub(crate) fn problems(problems: impl IntoIterator<Item = serde_json::Value>) -> Self {
        Self { code: 2, problems: problems.into_iter().collect() }
    }

    /// What is wrong with a configuration.
    pub(crate) fn configuration<'a>(problems: impl IntoIterator<Item = &'a crate::config::Problem>) -> Self {
        Self::problems(problems.into_iter().map(|problem| {
            let mut object = serde_json::to_value(problem).unwrap_or_default();
            if let Some(object) = object.as_object_mut() {
                object.insert("error".to_owned(), sentence(&problem.what).into());
                object.insert("text".to_owned(), problem.to_string().into());
            }
            object
        }))
    }

    /// Whether one of its sentences has these words.
    #[cfg(test)]
    pub(crate) fn says(&self, words: &str) -> bool {
        self.problems.iter().any(|problem| problem.to_string().contains(words))
    }

    /// Writes it to stderr, as sentences or as objects.
    pub(crate) fn print(&self, json: bool) {
        for problem in &self.problems {
            let text = problem.get("text").or(problem.get("error")).and_then(|text| text.as_str());
            match text {
                Some(text) if !json => eprintln!("{text}"),
                _ => {
                    let mut object = problem.clone();
                    object.as_object_mut().map(|object| object.remove("text"));
                    eprintln!("{object}");
                }
            }
        }
    }
}

impl Failure {
    /// The same where only an error can be handed on.
    pub(crate) fn into_error(self) -> Error {
        let said = self.problems.iter().filter_map(|problem| problem.get("error")?.as_str());
        let kind = if self.code == 2 { base::Kind::Invalid } else { base::Kind::Internal };
        Error::new(kind, "error-failure", said.collect::<Vec<_>>().join("\n"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = if matches!(error.kind, base::Kind::Invalid) { 2 } else { 1 };
        let mut problem = serde_json::json!({ "error": error.public, "code": error.code });
        if let (Some(private), Some(map)) = (&error.private, problem.as_object_mut()) {
            let sentence = format!("{} ({private})", error.public);
            map.insert("error".to_owned(), sentence.into());
        }
        Self { code, problems: vec![problem] }
    }
}

impl From<store::DbError> for Failure {
    fn from(error: store::DbError) -> Self {
        let code = if matches!(error, store::DbError::Url(_)) { 2 } else { 1 };
        Self { code, ..Self::usage(sentence(&error.to_string())) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(sentence(&error.to_string()))
    }
}

/// The text with a capital letter at its beginning and a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
