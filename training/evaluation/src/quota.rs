//! How many questions of each group an exam still wants.

use std::collections::BTreeMap;

/// Equal numbers of all groups, few of one scene.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    missing: BTreeMap<&'static str, usize>,
    of_scene: BTreeMap<&'static str, usize>,
    per_scene: usize,
}

impl Quota {
    /// `questions` in all; the first group takes what can't be shared. `per_scene`: most questions of one group taken
    /// from one scene, so that an exam has many of them.
    pub fn new(groups: &[&'static str], questions: usize, per_scene: usize) -> Self {
        let share = questions / groups.len().max(1);
        let mut missing: BTreeMap<&str, usize> = groups.iter().map(|group| (*group, share)).collect();
        if let Some(first) = groups.first().and_then(|group| missing.get_mut(group)) {
            *first += questions % groups.len();
        }
        Self { missing, of_scene: BTreeMap::new(), per_scene }
    }

    pub fn is_met(&self) -> bool {
        self.missing.values().all(|missing| *missing == 0)
    }

    /// What follows is of another scene.
    pub fn begin_scene(&mut self) {
        self.of_scene.clear();
    }

    /// Takes one question of `group`, where one is wanted.
    pub fn take(&mut self, group: &'static str) -> bool {
        let Some(missing) = self.missing.get_mut(group).filter(|missing| **missing > 0) else { return false };
        let taken = self.of_scene.entry(group).or_default();
        if *taken == self.per_scene {
            return false;
        }
        *missing -= 1;
        *taken += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_share_and_a_scene_gives_few() {
        let mut quota = Quota::new(&["a", "b"], 5, 2);
        assert_eq!([quota.take("a"), quota.take("a"), quota.take("a"), quota.take("c")], [true, true, false, false]);
        quota.begin_scene();
        assert_eq!([quota.take("a"), quota.take("a")], [true, false], "three of five are the first group's");
        assert_eq!([quota.take("b"), quota.take("b"), quota.take("b")], [true, true, false]);
        assert!(quota.is_met());
    }
}
