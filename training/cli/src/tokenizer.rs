//! `spacer-train tokenizer`.

use std::path::PathBuf;

use anyhow::Result;

/// Example: `spacer-train tokenizer --model models/zoo/spacer-nano --size 1024`
#[derive(clap::Args)]
pub struct Arguments {
    /// Directory with prompts.toml; tokenizer.json is written there.
    #[arg(long)]
    model: PathBuf,
    /// Tokens in all, special ones included.
    #[arg(long, default_value_t = 1024)]
    size: usize,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let prompts = episodes::maker::read_prompts(&arguments.model.join("prompts.toml"))?;
    let corpus = episodes::vocabulary::corpus(&prompts)?;
    let tokenizer = episodes::vocabulary::train(&corpus, arguments.size)?;
    let path = arguments.model.join("tokenizer.json");
    tokenizer.save(&path, true).map_err(anyhow::Error::from_boxed)?;
    for token in episodes::vocabulary::SPECIAL_TOKENS {
        println!("{token} {}", tokenizer.token_to_id(token).unwrap_or_default());
    }
    println!("{} tokens in {}", tokenizer.get_vocab_size(true), path.display());
    Ok(())
}
