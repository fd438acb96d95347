//! Searching a graph: patterns, shortest paths, components, degrees.
//!
//! Nodes and edges are numbers; [`Graph::of`] makes them of the ids in two tables. The search goes depth first in the order
//! of edges, so that what is found comes in the same order each time.

use std::collections::{HashMap, HashSet, VecDeque};

use arrow::array::{Array, ArrayRef};
use arrow::row::{OwnedRow, RowConverter, SortField};

use super::super::KernelError;

/// Matches that one search may find.
const MATCHES_MAX: usize = 1_000_000;
/// Edges that one search may try.
const STEPS_MAX: u64 = 100_000_000;

/// A graph of numbered nodes and edges.
#[derive(Debug)]
pub struct Graph {
    /// Ends of each edge; None where an end is no node.
    ends: Vec<Option<(u32, u32)>>,
    outgoing: Vec<Vec<u32>>,
    incoming: Vec<Vec<u32>>,
    directed: bool,
}

/// Which way an edge is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
    Any,
}

/// What a match may visit twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cycles {
    All,
    UniqueEdges,
    None,
}

/// An element of a pattern.
#[derive(Debug, Clone)]
pub enum Element {
    Node,
    /// Edges between two elements: at least and at most so many.
    Edges {
        from: usize,
        to: usize,
        direction: Direction,
        least: usize,
        most: usize,
    },
}

/// A pattern: its elements, for each whether an item may stand there, and the elements where its parts begin.
#[derive(Debug)]
pub struct Pattern {
    pub elements: Vec<Element>,
    /// By element and number of node or edge; empty: all.
    pub allowed: Vec<Vec<bool>>,
    pub starts: Vec<usize>,
    pub cycles: Cycles,
}

/// What stands for each element: one node, or the edges of a path in its order with the nodes between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub items: Vec<u32>,
    pub inner: Vec<u32>,
}

impl Graph {
    /// A graph of the ids of nodes and those of the ends of edges, columns of one type.
    ///
    /// # Errors
    /// Columns of different types.
    pub fn of(nodes: &ArrayRef, source: &ArrayRef, target: &ArrayRef, directed: bool) -> Result<Graph, KernelError> {
        let failed = |error: arrow::error::ArrowError| KernelError(format!("the ids of a graph: {error}"));
        let converter = RowConverter::new(vec![SortField::new(nodes.data_type().clone())]).map_err(failed)?;
        let rows = |column: &ArrayRef| converter.convert_columns(std::slice::from_ref(column)).map_err(failed);
        let mut numbers: HashMap<OwnedRow, u32> = HashMap::new();
        for (number, row) in rows(nodes)?.iter().enumerate() {
            numbers.entry(row.owned()).or_insert(number as u32);
        }
        let (from, to) = (rows(source)?, rows(target)?);
        let ends: Vec<Option<(u32, u32)>> = from
            .iter()
            .zip(to.iter())
            .map(|(from, to)| Some((*numbers.get(&from.owned())?, *numbers.get(&to.owned())?)))
            .collect();
        let mut outgoing = vec![Vec::new(); nodes.len()];
        let mut incoming = vec![Vec::new(); nodes.len()];
        for (edge, ends) in ends.iter().enumerate() {
            let Some((from, to)) = ends else { continue };
            if let (Some(out), Some(into)) = (outgoing.get_mut(*from as usize), incoming.get_mut(*to as usize)) {
                out.push(edge as u32);
                into.push(edge as u32);
            }
        }
        Ok(Graph { ends, outgoing, incoming, directed })
    }

    /// How many edges end and begin at each node.
    pub fn degrees(&self) -> (Vec<i64>, Vec<i64>) {
        let count = |edges: &Vec<Vec<u32>>| edges.iter().map(|edges| edges.len() as i64).collect();
        (count(&self.incoming), count(&self.outgoing))
    }

    /// The number of each node's component: numbers rise in the order of edges. With `strong`, components whose nodes reach
    /// each other.
    pub fn components(&self, strong: bool) -> Vec<i64> {
        let roots = if strong { self.strong_roots() } else { self.weak_roots() };
        let mut numbers: HashMap<u32, i64> = HashMap::new();
        let mut number = |node: u32| {
            let root = roots.get(node as usize).copied().unwrap_or(node);
            let next = numbers.len() as i64;
            *numbers.entry(root).or_insert(next)
        };
        let mut components = vec![0; roots.len()];
        let ordered = self.ends.iter().flatten().flat_map(|(from, to)| [*from, *to]);
        for node in ordered.chain(0..roots.len() as u32) {
            if let Some(slot) = components.get_mut(node as usize) {
                *slot = number(node);
            }
        }
        components
    }

    fn weak_roots(&self) -> Vec<u32> {
        fn root(parents: &mut [u32], mut node: u32) -> u32 {
            while let Some(parent) = parents.get(node as usize).copied().filter(|parent| *parent != node) {
                let above = parents.get(parent as usize).copied().unwrap_or(parent);
                if let Some(slot) = parents.get_mut(node as usize) {
                    *slot = above;
                }
                node = parent;
            }
            node
        }
        let mut parents: Vec<u32> = (0..self.outgoing.len() as u32).collect();
        for (from, to) in self.ends.iter().flatten() {
            let (a, b) = (root(&mut parents, *from), root(&mut parents, *to));
            if let Some(slot) = parents.get_mut(a.max(b) as usize) {
                *slot = a.min(b);
            }
        }
        (0..parents.len() as u32).map(|node| root(&mut parents, node)).collect()
    }

    /// Kosaraju's algorithm: nodes by the end of a walk forward, then walks backward.
    fn strong_roots(&self) -> Vec<u32> {
        let count = self.outgoing.len();
        let mut seen = vec![false; count];
        let mut order = Vec::with_capacity(count);
        for start in 0..count as u32 {
            let mut stack = vec![(start, false)];
            while let Some((node, done)) = stack.pop() {
                if done {
                    order.push(node);
                    continue;
                }
                match seen.get_mut(node as usize) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                stack.push((node, true));
                stack.extend(self.next(node, Direction::Forward).map(|(_, other)| (other, false)));
            }
        }
        let mut roots: Vec<Option<u32>> = vec![None; count];
        for start in order.into_iter().rev() {
            let mut stack = vec![start];
            while let Some(node) = stack.pop() {
                match roots.get_mut(node as usize) {
                    Some(slot) if slot.is_none() => *slot = Some(start),
                    _ => continue,
                }
                stack.extend(self.next(node, Direction::Backward).map(|(_, other)| other));
            }
        }
        roots.into_iter().enumerate().map(|(node, root)| root.unwrap_or(node as u32)).collect()
    }

    /// Edges from a node, and where they lead.
    fn next(&self, node: u32, direction: Direction) -> impl Iterator<Item = (u32, u32)> + '_ {
        let direction = if self.directed { direction } else { Direction::Any };
        let of = |edges: &'_ [Vec<u32>], wanted: bool| {
            let own: &[u32] = if wanted { edges.get(node as usize).map_or(&[], Vec::as_slice) } else { &[] };
            own.to_vec()
        };
        let out = of(&self.outgoing, direction != Direction::Backward).into_iter();
        let into = of(&self.incoming, direction != Direction::Forward).into_iter();
        let end = move |edge: u32| self.ends.get(edge as usize).copied().flatten();
        let forward = out.filter_map(move |edge| end(edge).map(|(_, to)| (edge, to)));
        let backward = into.filter_map(move |edge| end(edge).map(|(from, _)| (edge, from)));
        forward.chain(backward.filter(move |(edge, other)| {
            // An edge from a node to itself is passed once.
            direction != Direction::Any || *other != node || end(*edge).is_none_or(|(from, to)| from != to)
        }))
    }

    /// All matches of a pattern: for each what stands for its elements.
    ///
    /// # Errors
    /// A limit.
    pub fn matches(&self, pattern: &Pattern) -> Result<Vec<Vec<Found>>, KernelError> {
        let mut search = Search {
            graph: self,
            pattern,
            steps: pattern.steps(),
            bound: vec![None; pattern.elements.len()],
            paths: vec![Found::default(); pattern.elements.len()],
            edges: HashSet::new(),
            visited: HashMap::new(),
            tried: 0,
            found: Vec::new(),
        };
        search.go(0)?;
        Ok(search.found)
    }

    /// Shortest paths for a pattern of one path between two nodes; `all` gives every shortest path between two nodes.
    ///
    /// # Errors
    /// A limit; a pattern of another shape.
    pub fn shortest(&self, pattern: &Pattern, all: bool) -> Result<Vec<Vec<Found>>, KernelError> {
        let path = pattern.elements.iter().enumerate().find_map(|(place, element)| match element {
            Element::Edges { from, to, direction, least, most } => Some((place, *from, *to, *direction, *least, *most)),
            Element::Node => None,
        });
        let (Some((place, from, to, direction, least, most)), 3) = (path, pattern.elements.len()) else {
            return Err(KernelError("graph-shortest-paths wants a pattern of one path between two nodes".to_owned()));
        };
        let mut found = Vec::new();
        for start in 0..self.outgoing.len() as u32 {
            if !pattern.allows(from, start) {
                continue;
            }
            let mut walk = Walk { distance: HashMap::from([(start, 0)]), before: HashMap::new() };
            let mut queue = VecDeque::from([start]);
            while let Some(node) = queue.pop_front() {
                let distance = walk.distance.get(&node).copied().unwrap_or(0);
                if distance >= most {
                    continue;
                }
                for (edge, other) in self.next(node, direction) {
                    if !pattern.allows(place, edge) {
                        continue;
                    }
                    match walk.distance.get(&other) {
                        None => {
                            walk.distance.insert(other, distance + 1);
                            walk.before.insert(other, vec![(edge, node)]);
                            queue.push_back(other);
                        }
                        Some(known) if all && *known == distance + 1 => {
                            walk.before.entry(other).or_default().push((edge, node));
                        }
                        Some(_) => {}
                    }
                }
            }
            for end in 0..self.outgoing.len() as u32 {
                let reached = walk.distance.get(&end).is_some_and(|distance| *distance >= least.max(1));
                if !reached || !pattern.allows(to, end) {
                    continue;
                }
                for (edges, inner) in walk.paths(start, end) {
                    if found.len() >= MATCHES_MAX {
                        return Err(KernelError(format!("more than {MATCHES_MAX} paths in a graph")));
                    }
                    let mut items = vec![Found::default(); pattern.elements.len()];
                    let whole = [
                        (from, Found { items: vec![start], inner: Vec::new() }),
                        (place, Found { items: edges, inner }),
                        (to, Found { items: vec![end], inner: Vec::new() }),
                    ];
                    for (place, item) in whole {
                        if let Some(slot) = items.get_mut(place) {
                            *slot = item;
                        }
                    }
                    found.push(items);
                }
            }
        }
        Ok(found)
    }
}

/// A walk breadth first: how far nodes are, and by which edges they were reached.
struct Walk {
    distance: HashMap<u32, usize>,
    before: HashMap<u32, Vec<(u32, u32)>>,
}

impl Walk {
    /// Edges and inner nodes of the paths to a node, at most [`MATCHES_MAX`].
    fn paths(&self, start: u32, end: u32) -> Vec<(Vec<u32>, Vec<u32>)> {
        let mut paths = Vec::new();
        let mut open = vec![(end, Vec::new(), Vec::new())];
        while let Some((node, edges, inner)) = open.pop() {
            if node == start {
                let turned = |items: Vec<u32>| items.into_iter().rev().collect::<Vec<u32>>();
                paths.push((turned(edges), turned(inner)));
                if paths.len() >= MATCHES_MAX {
                    break;
                }
                continue;
            }
            for (edge, before) in self.before.get(&node).into_iter().flatten().rev() {
                let (mut edges, mut inner) = (edges.clone(), inner.clone());
                edges.push(*edge);
                if *before != start {
                    inner.push(*before);
                }
                open.push((*before, edges, inner));
            }
        }
        paths
    }
}

/// A step of the search.
#[derive(Debug, Clone, Copy)]
enum Step {
    Start(usize),
    Path(usize),
}

impl Pattern {
    fn allows(&self, element: usize, item: u32) -> bool {
        match self.allowed.get(element) {
            Some(allowed) if !allowed.is_empty() => allowed.get(item as usize).copied().unwrap_or(false),
            _ => true,
        }
    }

    /// Begins with a part, and follows its paths in the order written.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut starts = self.starts.iter().copied();
        steps.extend(starts.next().map(Step::Start));
        let mut placed: HashSet<usize> = self.starts.first().copied().into_iter().collect();
        for (place, element) in self.elements.iter().enumerate() {
            let Element::Edges { from, to, .. } = element else { continue };
            if !placed.contains(from) {
                for start in starts.by_ref() {
                    steps.push(Step::Start(start));
                    placed.insert(start);
                    if start == *from {
                        break;
                    }
                }
            }
            steps.push(Step::Path(place));
            placed.insert(*to);
        }
        steps.extend(starts.map(Step::Start));
        steps
    }
}

struct Search<'a> {
    graph: &'a Graph,
    pattern: &'a Pattern,
    steps: Vec<Step>,
    /// The node that stands for each node element.
    bound: Vec<Option<u32>>,
    paths: Vec<Found>,
    /// Edges in use.
    edges: HashSet<u32>,
    /// How often each node is in use.
    visited: HashMap<u32, usize>,
    tried: u64,
    found: Vec<Vec<Found>>,
}

impl Search<'_> {
    fn go(&mut self, step: usize) -> Result<(), KernelError> {
        match self.steps.get(step).copied() {
            None => self.note(),
            Some(Step::Start(element)) => {
                if self.bound.get(element).copied().flatten().is_some() {
                    return self.go(step + 1);
                }
                for node in 0..self.graph.outgoing.len() as u32 {
                    self.with_node(element, node, step)?;
                }
                Ok(())
            }
            Some(Step::Path(element)) => {
                let Some(Element::Edges { from, .. }) = self.pattern.elements.get(element) else { return Ok(()) };
                match self.bound.get(*from).copied().flatten() {
                    Some(node) => self.walk(element, node, step),
                    None => Ok(()),
                }
            }
        }
    }

    /// Goes on with a node for an element, if it may stand there.
    fn with_node(&mut self, element: usize, node: u32, step: usize) -> Result<(), KernelError> {
        if let Some(known) = self.bound.get(element).copied().flatten() {
            return if known == node { self.go(step + 1) } else { Ok(()) };
        }
        let seen = self.visited.get(&node).copied().unwrap_or(0);
        if !self.pattern.allows(element, node) || (self.pattern.cycles == Cycles::None && seen > 0) {
            return Ok(());
        }
        self.bind(element, Some(node));
        *self.visited.entry(node).or_insert(0) += 1;
        let result = self.go(step + 1);
        if let Some(count) = self.visited.get_mut(&node) {
            *count -= 1;
        }
        self.bind(element, None);
        result
    }

    fn bind(&mut self, element: usize, node: Option<u32>) {
        if let Some(slot) = self.bound.get_mut(element) {
            *slot = node;
        }
    }

    /// Extends the path of an element from a node, by all edges that lead on.
    fn walk(&mut self, element: usize, node: u32, step: usize) -> Result<(), KernelError> {
        let Some(Element::Edges { to, direction, least, most, .. }) = self.pattern.elements.get(element) else {
            return Ok(());
        };
        let (to, direction, least, most) = (*to, *direction, *least, *most);
        let length = self.paths.get(element).map_or(0, |path| path.items.len());
        if length >= least {
            self.with_node(to, node, step)?;
        }
        if length >= most {
            return Ok(());
        }
        let next: Vec<(u32, u32)> = self.graph.next(node, direction).collect();
        for (edge, other) in next {
            self.tried += 1;
            if self.tried > STEPS_MAX {
                return Err(KernelError(format!("a search in a graph tried more than {STEPS_MAX} edges")));
            }
            let used = self.pattern.cycles != Cycles::All && self.edges.contains(&edge);
            if used || !self.pattern.allows(element, edge) {
                continue;
            }
            // A node on the way counts as visited; the end of the path is counted where it is bound.
            let inner = length > 0;
            let seen = self.visited.get(&node).copied().unwrap_or(0);
            if inner && self.pattern.cycles == Cycles::None && seen > 0 {
                continue;
            }
            let fresh = self.edges.insert(edge);
            if inner {
                *self.visited.entry(node).or_insert(0) += 1;
            }
            if let Some(path) = self.paths.get_mut(element) {
                path.items.push(edge);
                if inner {
                    path.inner.push(node);
                }
            }
            let result = self.walk(element, other, step);
            if let Some(path) = self.paths.get_mut(element) {
                path.items.pop();
                if inner {
                    path.inner.pop();
                }
            }
            if inner && let Some(count) = self.visited.get_mut(&node) {
                *count -= 1;
            }
            if fresh {
                self.edges.remove(&edge);
            }
            result?;
        }
        Ok(())
    }

    fn note(&mut self) -> Result<(), KernelError> {
        if self.found.len() >= MATCHES_MAX {
            return Err(KernelError(format!("more than {MATCHES_MAX} matches in a graph")));
        }
        let item = |(place, element): (usize, &Element)| match element {
            Element::Node => {
                Found { items: self.bound.get(place).copied().flatten().into_iter().collect(), inner: Vec::new() }
            }
            Element::Edges { .. } => self.paths.get(place).cloned().unwrap_or_default(),
        };
        self.found.push(self.pattern.elements.iter().enumerate().map(item).collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use std::sync::Arc;

    fn graph(edges: &[(i64, i64)], nodes: i64) -> Graph {
        let column = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
        let from = column(edges.iter().map(|(from, _)| *from).collect());
        let to = column(edges.iter().map(|(_, to)| *to).collect());
        Graph::of(&column((0..nodes).collect()), &from, &to, true).unwrap()
    }

    fn path(least: usize, most: usize, cycles: Cycles) -> Pattern {
        let edges = Element::Edges { from: 0, to: 1, direction: Direction::Forward, least, most };
        Pattern { elements: vec![Element::Node, Element::Node, edges], allowed: Vec::new(), starts: vec![0], cycles }
    }

    #[test]
    fn paths_use_an_edge_once() {
        let graph = graph(&[(0, 1), (1, 0), (1, 2)], 3);
        let found = graph.matches(&path(1, 9, Cycles::UniqueEdges)).unwrap();
        let paths: Vec<Vec<u32>> = found.iter().map(|found| found[2].items.clone()).collect();
        // From 0: there, there and back, there and on; from 1: back, back and there again, that and on; and on.
        let mut sorted = paths;
        sorted.sort();
        let expected: [&[u32]; 7] = [&[0], &[0, 1], &[0, 2], &[1], &[1, 0], &[1, 0, 2], &[2]];
        assert_eq!(sorted, expected);
        let none = graph.matches(&path(1, 9, Cycles::None)).unwrap();
        assert_eq!(none.len(), 4);
    }

    #[test]
    fn components_are_weak_or_strong() {
        let graph = graph(&[(1, 2), (2, 1), (2, 3), (4, 5)], 6);
        assert_eq!(graph.components(false), [2, 0, 0, 0, 1, 1]);
        let strong = graph.components(true);
        assert_eq!(strong[1], strong[2]);
        assert_ne!(strong[2], strong[3]);
        assert_ne!(strong[4], strong[5]);
    }

    #[test]
    fn shortest_paths_are_one_or_all() {
        let graph = graph(&[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)], 4);
        let mut pattern = path(1, 5, Cycles::None);
        pattern.allowed = vec![vec![true, false, false, false], vec![false, false, false, true], vec![]];
        assert_eq!(graph.shortest(&pattern, false).unwrap()[0][2].items, [4]);
        pattern.allowed[2] = vec![true, true, true, true, false];
        assert_eq!(graph.shortest(&pattern, false).unwrap().len(), 1);
        let all = graph.shortest(&pattern, true).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0][2].inner, [1]);
    }
}
