//! Connected parts of a grid of free cells, row by row; cells touch at their sides.

use std::collections::VecDeque;

/// The part of each cell, 0 for none, and the sizes of the parts from 1 on.
pub(crate) fn parts(free: &[bool], columns: usize) -> (Vec<u32>, Vec<usize>) {
    let mut part = vec![0u32; free.len()];
    let mut sizes = Vec::new();
    for start in 0..free.len() {
        if free[start] && part[start] == 0 {
            let number = sizes.len() as u32 + 1;
            let mut queue = VecDeque::from([start]);
            part[start] = number;
            let mut size = 0;
            while let Some(index) = queue.pop_front() {
                size += 1;
                for next in neighbours(free, columns, index) {
                    if std::mem::replace(&mut part[next], number) == 0 {
                        queue.push_back(next);
                    }
                }
            }
            sizes.push(size);
        }
    }
    (part, sizes)
}

/// Frees no cell but those of the largest part; returns the share that these were of all free cells.
pub(crate) fn keep_largest(free: &mut [bool], columns: usize) -> f64 {
    let (part, sizes) = parts(free, columns);
    let best = (0..sizes.len()).rev().max_by_key(|&index| sizes[index]).map(|index| index as u32 + 1);
    for (free, part) in free.iter_mut().zip(part) {
        *free = part != 0 && Some(part) == best;
    }
    sizes.iter().max().copied().unwrap_or(0) as f64 / sizes.iter().sum::<usize>().max(1) as f64
}

/// The free cells beside a cell.
pub(crate) fn neighbours(free: &[bool], columns: usize, index: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (index % columns, index / columns);
    let rows = free.len() / columns;
    [(-1, 0), (1, 0), (0, -1), (0, 1)]
        .into_iter()
        .filter_map(move |(dx, dy)| {
            let (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
            (x < columns && y < rows).then_some(y * columns + x)
        })
        .filter(|&next| free[next])
}
