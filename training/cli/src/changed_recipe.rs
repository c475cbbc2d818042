//! A run that goes on with another recipe than it began with.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What may change without changing what is learnt.
const HARMLESS: [&str; 3] = ["run.", "rollout.server", "data.threads"];

/// Compares `recipe` with the one in `run.json` of the folder `run`, with which the earlier sessions were made, and says
/// what is another. Goes on where `allowed`, or where only harmless settings are.
///
/// # Errors
/// When `run.json` can't be read, or the recipe is another and that is not allowed.
pub fn check<R: Serialize + DeserializeOwned>(run: &Path, recipe: &R, allowed: bool) -> Result<()> {
    let path = run.join("run.json");
    if !path.exists() {
        tracing::warn!("{}: no such file; whether the recipe has changed since is not known", path.display());
        return Ok(());
    }
    let read = || -> Result<Value> {
        let mut record: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let earlier = record["recipe"].take();
        // Settings that were not there yet have their defaults.
        Ok(serde_json::from_value::<R>(earlier.clone()).and_then(serde_json::to_value).unwrap_or(earlier))
    };
    let earlier = read().with_context(|| format!("{}: expected what the run was begun with", path.display()))?;
    let changes = changes(&earlier, &serde_json::to_value(recipe)?);
    if changes.is_empty() {
        return Ok(());
    }
    let list = changes.values().cloned().collect::<Vec<_>>().join("; ");
    if allowed || changes.keys().all(|key| HARMLESS.iter().any(|harmless| key.starts_with(harmless))) {
        tracing::warn!("the run goes on with another recipe: {list}");
        return Ok(());
    }
    bail!(
        "the recipe is no longer that of the run in {}: {list}; go on with --changed-recipe, or name another --run",
        run.display()
    )
}

/// What differs, by key.
fn changes(earlier: &Value, now: &Value) -> BTreeMap<String, String> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    settings("", earlier, &mut before);
    settings("", now, &mut after);
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let shown = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    let change = |key: &String| {
        let (before, after) = (before.get(key).copied(), after.get(key).copied());
        (before != after).then(|| (key.clone(), format!("{key} was {}, is {}", shown(before), shown(after))))
    };
    keys.into_iter().filter_map(change).collect()
}

/// Settings by their keys, `table.key`. None and no value are the same.
fn settings<'a>(key: &str, value: &'a Value, found: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                settings(&if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, value, found);
            }
        }
        Value::Null => {}
        value => drop(found.insert(key.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_recipe_is_said_and_must_be_allowed() {
        let run = tempfile::tempdir().unwrap();
        let recipe = json!({"optimiser": {"steps": 4, "rate": 0.5}, "run": {"samples": 2}, "lora": null});
        check(run.path(), &recipe, false).unwrap();
        std::fs::write(run.path().join("run.json"), json!({"recipe": recipe}).to_string()).unwrap();
        check(run.path(), &recipe, false).unwrap();
        let with = |table: &str, key: &str, value: Value| {
            let mut changed = recipe.clone();
            changed[table][key] = value;
            changed
        };
        check(run.path(), &with("run", "samples", json!(9)), false).unwrap();
        let longer = with("optimiser", "steps", json!(8));
        let error = check(run.path(), &longer, false).unwrap_err().to_string();
        assert!(error.contains("optimiser.steps was 4, is 8; go on with --changed-recipe"), "{error}");
        check(run.path(), &longer, true).unwrap();
        let other = check(run.path(), &with("lora", "rank", json!(8)), false).unwrap_err().to_string();
        assert!(other.contains("lora.rank was none, is 8"), "{other}");
        std::fs::write(run.path().join("run.json"), "{").unwrap();
        assert!(check(run.path(), &recipe, true).is_err());
    }
}
