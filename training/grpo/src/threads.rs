//! Work on several things at once, results in order.

use crate::{Error, Result};

/// `f` of every item, on at most `threads` named threads; a function of the items whatever the number of threads.
///
/// # Errors
/// The first item's error, in their order.
pub fn in_threads<T: Sync, R: Send>(items: &[T], threads: usize, f: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().map(f).collect();
    }
    let share = items.len().div_ceil(threads);
    let spawn_error = |source| Error::File { path: "thread".into(), source };
    std::thread::scope(|scope| {
        let f = &f;
        let mut workers = Vec::new();
        for (i, part) in items.chunks(share).enumerate() {
            let run = move || part.iter().map(f).collect::<Result<Vec<R>>>();
            let worker = std::thread::Builder::new().name(format!("scenes-{i}"));
            workers.push(worker.spawn_scoped(scope, run).map_err(spawn_error)?);
        }
        let mut results = Vec::with_capacity(items.len());
        for worker in workers {
            results.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(results)
    })
}
