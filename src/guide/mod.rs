//! The guide: how to use the program and how to read what it says. The same text is read here, as part of the API
//! documentation, and in the terminal with `quantbias guide`.
//!
//! It says nothing that a program could look up by itself: what a command's options are, `--help` tells.

/// Makes a module of each text, for the API documentation, and the list of all.
macro_rules! topics {
    ($($module:ident = $name:literal, $about:literal;)*) => {
        $(
            #[doc = include_str!(concat!(stringify!($module), ".md"))]
            pub mod $module {}
        )*

        /// Every topic, in the order in which a newcomer reads them.
        pub const TOPICS: &[Topic] = &[
            $(Topic { name: $name, about: $about, text: include_str!(concat!(stringify!($module), ".md")) },)*
        ];
    };
}

/// One text of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// The text, as Markdown.
    pub text: &'static str,
}

topics! {
    tutorial = "tutorial", "ten minutes: the demo, its report, a first audit, margins and exit codes";
    audit_a_model = "audit-a-model", "a model of yours or from the hub: check, plan, audit, gates, waivers, CI";
    your_own_benchmark = "your-own-benchmark", "a TOML file and rows, for every kind of question";
    reading_the_report = "reading-the-report", "every verdict, table, figure, and flag";
    statistics = "statistics", "what is computed, why so, and when not to trust it";
    settings = "settings", "every way to quantize a model: schemes, files, checkpoints, layers, adapters";
    many_machines = "many-machines", "servers, shards, clusters, and totals from a database";
    other_tools = "other-tools", "logs, tables, and scores that come from elsewhere; runs held against each other";
    audit_toml = "audit-toml", "every key of audit.toml";
}

/// The topic of this name; `_` and `-` are the same.
#[must_use]
pub fn topic(name: &str) -> Option<&'static Topic> {
    let name = name.replace('_', "-");
    TOPICS.iter().find(|t| t.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_found_by_its_name_in_either_spelling() {
        assert_eq!(topic("audit-toml"), topic("audit_toml"));
        assert!(topic("audit-toml").is_some_and(|t| t.text.starts_with("# ")));
        assert_eq!(topic("nothing"), None);
    }
}
