//! Keys and values in tensors with room behind them, and who may write there.
//!
//! States that begin alike share one cache: each holds a [`Lease`], which says how
//! many of its tokens it uses. What lies within a lease is never written to.
//! Behind it a lease may append in place as long as no other is longer: so a
//! question writes behind the prefix that it forked, and when it is done the next
//! one writes there too. A lease that can't append is copied to a cache of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::session::IoBinding;
use ort::value::DynValue;

/// Keys and values of one batch.
#[derive(Debug)]
pub(crate) struct KvCache {
    /// Sequences side by side.
    pub(crate) rows: usize,
    /// Tokens that each row has room for.
    pub(crate) capacity: usize,
    contents: Mutex<Contents>,
    /// Length of every live lease.
    lengths: Mutex<BTreeMap<u64, usize>>,
    next_id: AtomicU64,
}

/// What a run of the graph reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// key 0, value 0, key 1, …; each \[rows, kv heads, capacity, head size\]. None for a capacity of 0.
    pub(crate) tensors: Vec<DynValue>,
    /// Names the tensors to the graph, once for all runs.
    pub(crate) binding: Option<IoBinding>,
}

impl KvCache {
    /// A cache that nobody has a lease of yet; `tensors` as in [`Contents`].
    pub(crate) fn new([rows, capacity]: [usize; 2], tensors: Vec<DynValue>) -> Self {
        Self {
            rows,
            capacity,
            contents: Mutex::new(Contents { tensors, binding: None }),
            lengths: Mutex::default(),
            next_id: AtomicU64::new(0),
        }
    }

    /// The tensors, for a run or a copy.
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lengths(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.lengths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The use of the first `len` tokens of a cache.
#[derive(Debug)]
pub(crate) struct Lease {
    cache: Arc<KvCache>,
    id: u64,
    len: usize,
}

impl Lease {
    pub(crate) fn new(cache: Arc<KvCache>, len: usize) -> Self {
        let id = cache.next_id.fetch_add(1, Ordering::Relaxed);
        cache.lengths().insert(id, len);
        Self { cache, id, len }
    }

    pub(crate) fn cache(&self) -> &KvCache {
        &self.cache
    }

    /// Tokens in use.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes the tokens up to `len`, which the holder is about to write; false where there is no room or somebody else
    /// uses them.
    pub(crate) fn claim(&mut self, len: usize) -> bool {
        let mut lengths = self.cache.lengths();
        let overtaken = lengths.iter().any(|(&id, &other)| id != self.id && other > self.len);
        if overtaken || len > self.cache.capacity {
            return false;
        }
        lengths.insert(self.id, len);
        self.len = len;
        true
    }

    /// Gives up what lies behind `len`.
    pub(crate) fn shrink(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.cache.lengths().insert(self.id, self.len);
    }

    /// Whether both are of one cache.
    pub(crate) fn shares_cache_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cache, &other.cache)
    }
}

impl Clone for Lease {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.cache), self.len)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.cache.lengths().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(capacity: usize) -> Lease {
        Lease::new(Arc::new(KvCache::new([1, capacity], Vec::new())), 0)
    }

    #[test]
    fn the_longest_lease_appends_and_the_others_must_copy() {
        let mut prefix = lease(10);
        assert!(prefix.claim(4));
        let (mut one, mut two) = (prefix.clone(), prefix.clone());
        assert!(one.claim(6));
        assert!(!two.claim(5) && !prefix.claim(5), "tokens 4 and 5 are in use");
        drop(one);
        assert!(two.claim(5));
        assert_eq!((prefix.len(), two.len()), (4, 5));
    }

    #[test]
    fn a_lease_that_was_shortened_does_not_write_over_its_clones() {
        let mut long = lease(10);
        assert!(long.claim(8));
        let clone = long.clone();
        long.shrink(3);
        assert!(!long.claim(4));
        drop(clone);
        assert!(long.claim(4));
    }

    #[test]
    fn nothing_is_claimed_beyond_the_capacity() {
        let mut lease = lease(4);
        assert!(lease.claim(4) && !lease.claim(5));
        assert_eq!(lease.len(), 4);
    }
}
