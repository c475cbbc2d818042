//! The map written down: for a person and for the model.

use std::collections::BTreeMap;
use std::fmt::Write;

use msgs::{Cell, GRID_SIZE, ImaginedMap};

/// Draws the grid with one letter per category, `R` for the robot, `+` where several share a cell, and a legend.
pub fn render_text(map: &ImaginedMap) -> String {
    let letters = letters(map);
    let mut grid = [['.'; GRID_SIZE]; GRID_SIZE];
    let mut put = |cell: Cell, letter: char| {
        let place = grid.get_mut(usize::from(cell.y)).and_then(|row| row.get_mut(usize::from(cell.x)));
        if let Some(place) = place {
            *place = if *place == '.' || *place == letter { letter } else { '+' };
        }
    };
    for object in &map.objects {
        if let Some(&letter) = letters.get(object.category.as_str()) {
            put(object.cell, letter);
        }
    }
    if let Some(robot) = map.robot {
        put(robot, 'R');
    }
    let mut text = String::new();
    for row in grid {
        for letter in row {
            text.extend([letter, ' ']);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for (category, letter) in &letters {
        let count = map.objects.iter().filter(|object| object.category == *category).count();
        // Writing into a string can't fail.
        let _ = writeln!(text, "{letter} = {category} ({count})");
    }
    match (map.robot, map.cell_size_m) {
        (Some(_), Some(size)) => drop(writeln!(text, "R = robot, looking up; one cell = {size} m")),
        (Some(_), None) => text.push_str("R = robot, looking up; no scale\n"),
        (None, Some(size)) => drop(writeln!(text, "one cell = {size} m; robot unknown")),
        (None, None) => text.push_str("no scale, robot unknown\n"),
    }
    text
}

/// One letter per category: the first free one of its name, else of the alphabet, else `?`.
fn letters(map: &ImaginedMap) -> BTreeMap<&str, char> {
    let mut letters = BTreeMap::new();
    let mut taken = vec!['r'];
    let mut categories: Vec<&str> = map.objects.iter().map(|object| object.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        let own = category.chars().filter(char::is_ascii_lowercase);
        let letter = own.chain('a'..='z').find(|letter| !taken.contains(letter)).unwrap_or('?');
        taken.push(letter);
        letters.insert(category, letter);
    }
    letters
}

/// The compact canonical form that completions are trained on: categories sorted, cells sorted, no spaces, then
/// `cell_size_m` with one decimal and `robot`, for instance `{"bed":[[4,5]],"cell_size_m":0.6,"robot":[[5,9]]}`.
pub fn to_dictionary(map: &ImaginedMap) -> String {
    let mut categories: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    for object in &map.objects {
        categories.entry(&object.category).or_default().push(object.cell);
    }
    let mut entries = Vec::with_capacity(categories.len() + 2);
    for (category, mut cells) in categories {
        cells.sort_unstable();
        let pairs: Vec<String> = cells.iter().map(|cell| format!("[{},{}]", cell.x, cell.y)).collect();
        let name: String = category.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
        entries.push(format!("\"{name}\":[{}]", pairs.join(",")));
    }
    if let Some(size) = map.cell_size_m {
        entries.push(format!("\"cell_size_m\":{size:.1}"));
    }
    if let Some(robot) = map.robot {
        entries.push(format!("\"robot\":[[{},{}]]", robot.x, robot.y));
    }
    format!("{{{}}}", entries.join(","))
}
