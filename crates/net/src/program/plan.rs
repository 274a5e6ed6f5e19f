//! What has to be computed for some nodes: in which order, what together, and when a value is needed no more.
//!
//! A plan does not depend on the batch, on the parameters or on what is fed, only on which nodes are known already. For a batch it says
//! how much memory it takes (`plan/memory.rs`).

mod memory;

use super::fusion::Chain;
use super::{Program, Step};
use crate::NodeId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a plan is made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// The nodes whose values are there; parameters always are.
    pub(super) known: Vec<bool>,
    /// The nodes that are asked for.
    pub(super) wanted: Vec<NodeId>,
    /// The nodes that will be asked for later: what they read is kept.
    pub(super) later: Vec<NodeId>,
    /// The nodes that are shifted or edited.
    pub(super) edited: Vec<NodeId>,
    /// Whether parameters stay, so that what is known of them may be kept in another form.
    pub(super) ready: bool,
}

/// The steps in order.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) works: Vec<Work>,
    /// The largest batch for which there was memory enough when it was asked for.
    fits: AtomicUsize,
}

impl Plan {
    /// Whether a batch has been found to fit into memory.
    pub(super) fn is_known_to_fit(&self, batch: usize) -> bool {
        batch <= self.fits.load(Ordering::Relaxed)
    }

    /// Notes that a batch fits into memory.
    pub(super) fn fits(&self, batch: usize) {
        self.fits.fetch_max(batch, Ordering::Relaxed);
    }
}

/// One node to compute, with those that are computed on the way.
#[derive(Debug)]
pub(super) struct Work {
    /// The node.
    pub(super) node: NodeId,
    pub(super) way: Way,
    /// Values that nobody reads any more.
    pub(super) done: Vec<NodeId>,
}

/// How a node is computed.
#[derive(Debug)]
pub(super) enum Way {
    /// By its primitive.
    Alone,
    /// As the root of a tree of elementwise nodes, in one pass over memory.
    Tree(super::fusion::Tree),
    /// As a convolution whose weights stay, with what is done to its channels afterwards.
    Chain(super::fusion::Chain),
    /// As the sum over everything but channels of a product, of which the two factors are read once.
    Dot {
        /// The node of the product.
        product: NodeId,
        /// The node of the same sum of the first or second factor alone, which is computed on the way.
        factor: Option<(NodeId, usize)>,
    },
}

/// Plans that were made, by what for.
#[derive(Debug, Default)]
pub(super) struct Plans(Mutex<HashMap<Question, Arc<Plan>>>);

/// A copy plans anew: it may grow otherwise.
impl Clone for Plans {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Plans that are kept at once.
const MOST_PLANS: usize = 256;

impl Program {
    /// The plan for a question, made when it is first asked.
    pub(super) fn plan(&self, question: Question) -> Arc<Plan> {
        let mut kept = self.plans.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = kept.get(&question) {
            return plan.clone();
        }
        let plan = Arc::new(self.planned(&question));
        if kept.len() >= MOST_PLANS {
            kept.clear();
        }
        kept.insert(question, plan.clone());
        plan
    }

    fn planned(&self, question: &Question) -> Plan {
        let schedule = self.ancestors(&question.known, &question.wanted);
        let mut readers = vec![0usize; self.nodes.len()];
        let mut count = |id: NodeId| self.nodes[id].inputs.iter().for_each(|&input| readers[input] += 1);
        schedule.iter().for_each(|&id| count(id));
        let later = self.ancestors(&question.known, &question.later);
        later.into_iter().filter(|id| schedule.binary_search(id).is_err()).for_each(&mut count);
        question.wanted.iter().for_each(|&id| readers[id] += 1);

        let chains = if question.ready { self.chains(&schedule, &readers, &question.edited) } else { Vec::new() };
        let put_off = self.put_off(&schedule, &readers, &question.edited, &chains);
        let mut chains: HashMap<NodeId, Chain> = chains.into_iter().map(|chain| (chain.root(), chain)).collect();
        let mut works = Vec::with_capacity(schedule.len());
        for id in schedule.into_iter().filter(|&id| !put_off[id]) {
            let chain = chains.remove(&id);
            let members = chain.as_ref().map_or_else(|| self.tree(id, &put_off), |chain| chain.members.clone());
            let mut done = Vec::new();
            for &input in members.iter().flat_map(|&member| &self.nodes[member].inputs) {
                readers[input] -= 1;
                if readers[input] == 0 && !put_off[input] {
                    done.push(input);
                }
            }
            let way = chain.map_or_else(|| self.way(members), Way::Chain);
            works.push(Work { node: id, way, done });
        }
        self.join_sums(&mut works, question);
        Plan { works, fits: AtomicUsize::new(0) }
    }

    /// Computes the sum of a factor together with the sum of the product, where both are wanted: maps are read once.
    fn join_sums(&self, works: &mut Vec<Work>, question: &Question) {
        let dots: Vec<NodeId> =
            works.iter().filter(|work| matches!(work.way, Way::Dot { .. })).map(|work| work.node).collect();
        for node in dots.into_iter().filter(|node| !question.edited.contains(node)) {
            let Some(dot) = works.iter().position(|work| work.node == node) else { continue };
            let Way::Dot { product, .. } = works[dot].way else { continue };
            let factors = &self.nodes[product].inputs;
            let is_sum = |work: &Work| {
                matches!(work.way, Way::Alone) && self.sums_channels(work.node) && !question.edited.contains(&work.node)
            };
            let mut sums = works.iter().enumerate().filter(|(_, work)| is_sum(work)).filter_map(|(place, work)| {
                let factor = factors.iter().position(|&factor| self.nodes[work.node].inputs[0] == factor)?;
                Some((place, factor))
            });
            // Both factors must be there when the earlier of the two is computed.
            let early = |place: usize, factor: NodeId| {
                question.known[factor] || works[..place.min(dot)].iter().any(|work| work.node == factor)
            };
            let sum = sums.find(|&(place, _)| factors.iter().all(|&factor| early(place, factor)));
            let Some((sum, factor)) = sum else { continue };
            let way = Way::Dot { product, factor: Some((works[sum].node, factor)) };
            let late = works.remove(sum.max(dot));
            // What is needed until then is let go where the later of the two was.
            works[sum.max(dot) - 1].done.extend(late.done);
            works[sum.min(dot)].node = node;
            works[sum.min(dot)].way = way;
        }
    }

    /// The nodes that have to be computed for `wanted`, in order.
    pub(super) fn ancestors(&self, known: &[bool], wanted: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        wanted.iter().for_each(|&id| needed[id] = true);
        let mut order = Vec::new();
        for id in (0..needed.len()).rev() {
            if needed[id] && !known[id] && matches!(self.nodes[id].op, Step::Primitive(_)) {
                order.push(id);
                self.nodes[id].inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        order.reverse();
        order
    }
}
