//! "Did you mean": the known name nearest to an unknown one.

/// The candidate with the least edit distance, letter case counting little; None when nothing is near.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let limit = 1 + name.chars().count() / 4;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(name.len()) > limit * 4 {
            continue;
        }
        let folded = candidate.to_lowercase();
        let distance = if folded == lower { 0 } else { 1 + distance(&lower, &folded, limit) };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, replacements and swaps of neighbours; anything above `limit` is `limit + 1`.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let cost = usize::from(x != y);
            let mut least = (previous[j] + cost).min(previous[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().unwrap_or(limit + 1).min(limit + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name() {
        let names = ["TimeGenerated", "Computer", "Account", "AccountType"];
        let near = |name| nearest(name, names.iter().copied());
        assert_eq!(near("timegenerated"), Some("TimeGenerated"));
        assert_eq!(near("TimeGenrated"), Some("TimeGenerated"));
        assert_eq!(near("Acount"), Some("Account"));
        assert_eq!(near("Foo"), None);
    }
}
