//! The settings file that a daemon here gets.

use std::path::Path;

use toml::{Table, Value};

/// A settings file under construction, with everything in one folder.
#[derive(Clone, Debug)]
pub struct Settings(Table);

impl Settings {
    /// State, sockets, cache and providers below `folder`; every wait shortened to a thousandth,
    /// and what depends on how fast the machine is to less.
    pub fn within(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        Self(Table::new())
            .with("state.directory", path("state"))
            .with("state.witness", path("witness"))
            .with("state.witness", path("witness/generation"))
            .with("admin.socket", path("admin.sock"))
            .with("reader.socket", path("read/reader.sock"))
            .with(
                "providers.directories",
                Value::Array(vec![path("providers").into()]),
            )
            .with("providers.cache", path("cache"))
            .with("timing.scale", 0.001)
            .with("timing.gate_fresh", "20m")
            .with("timing.verify_cap", "4h")
            .with("log.filter", "debug")
    }

    /// With one setting more, by its path (`timing.scale`), or another value of it.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.set(path, value);
        self
    }

    /// Sets a value by its path.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(&mut self.0, path, value.into());
    }

    /// The file's text.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

fn set(table: &mut Table, path: &str, value: Value) {
    let Some((head, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return;
    };
    let below = table
        .entry(head)
        .or_insert_with(|| Value::Table(Table::new()));
    if !below.is_table() {
        *below = Value::Table(Table::new());
    }
    if let Value::Table(below) = below {
        set(below, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_set_by_its_path() {
        let settings = Settings::within(Path::new("/x")).with("timing.scale", 0.5);
        let read: Table = settings.text().parse().unwrap();
        assert_eq!(read["timing"]["scale"].as_float(), Some(0.5));
        assert_eq!(read["admin"]["socket"].as_str(), Some("/x/admin.sock"));
    }
}
