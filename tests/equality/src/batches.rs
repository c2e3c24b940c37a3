//! A device on which several sequences share each pass.

use crate::{
    source::SharedModel,
    subject::{Progress, Subject},
    Evidence, Task,
};
use anyhow::{Context, Result};
use noema_executor::{Device, Executor, Output, Segment, Sequence};
use noema_numerics::{
    testing::{Case, Record},
    Architecture, BlocksRef, Checking, Generation, Step, StepBudget,
};
use std::sync::Arc;

/// Numbers of sequences that share passes, in turn.
const TOGETHER: [usize; 6] = [3, 1, 8, 2, 5, 16];

/// Most hidden vectors that one sequence wants of a pass; bounds the memory for logits.
const ROWS: usize = 16;

/// A device that executes in batches.
pub struct Batches(pub Device);

impl Subject for Batches {
    fn name(&self) -> String {
        self.0.to_string()
    }

    fn operator(&self, _case: &Case) -> Option<Result<Vec<u8>>> {
        None
    }

    fn execute(
        &mut self,
        tasks: &[Task],
        source: &Arc<SharedModel>,
        progress: Progress<'_>,
    ) -> Result<Vec<Evidence>> {
        let mut executor = self.0.executor(source.clone())?;
        let mut evidence = Vec::with_capacity(tasks.len());
        let mut sizes = TOGETHER.into_iter().cycle();
        let mut rest = tasks;
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(1).min(rest.len());
            let (batch, others) = rest.split_at(size);
            evidence.extend(together(executor.as_mut(), batch, source, progress)?);
            rest = others;
        }
        Ok(evidence)
    }
}

/// Executes `tasks` in shared passes until the last of them has ended.
fn together(
    executor: &mut dyn Executor,
    tasks: &[Task],
    source: &SharedModel,
    progress: Progress<'_>,
) -> Result<Vec<Evidence>> {
    let mut members = Vec::with_capacity(tasks.len());
    for task in tasks {
        members.push(Member::new(executor, task, &source.architecture)?);
    }
    let vocabulary = source.architecture.vocabulary as usize;
    let mut output = Output::default();
    loop {
        let mut segments = Vec::new();
        let mut taking = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if let Some(step) = member.step() {
                taking.push((index, step.wanted.len(), step.start + step.tokens.len()));
                segments.push(Segment {
                    sequence: member.sequence,
                    start: step.start,
                    tokens: step.tokens,
                    wanted: step.wanted,
                });
            }
        }
        if segments.is_empty() {
            break;
        }
        executor.run(&segments, &mut output)?;
        let mut first = 0;
        for (index, rows, cached) in taking {
            if rows > 0 {
                let hidden = output.hidden.view().slice(first..first + rows);
                let logits = &output.logits[first * vocabulary..(first + rows) * vocabulary];
                members[index].feed(hidden, logits, vocabulary);
                progress(rows);
            }
            members[index].advance(cached);
            first += rows;
        }
    }
    for member in &members {
        executor.close(member.sequence);
    }
    members.into_iter().map(Member::finish).collect()
}

/// An answer that is generated or checked.
enum Work {
    Generation(Generation),
    Checking(Checking),
}

/// A task in a batch.
struct Member<'t> {
    task: &'t Task,
    work: Work,
    sequence: Sequence,
    cached: usize,
    passes: usize,
    record: Record,
}

impl<'t> Member<'t> {
    fn new(
        executor: &mut dyn Executor,
        task: &'t Task,
        architecture: &Architecture,
    ) -> Result<Self> {
        let request = task.request();
        let (work, positions) = match &task.answer {
            None => {
                let generation = Generation::new(architecture, &task.prompt, &request)?;
                let positions = generation.positions();
                (Work::Generation(generation), positions)
            }
            Some(answer) => {
                let checking = Checking::new(architecture, &task.prompt, answer, &request)?;
                let positions = checking.positions();
                (Work::Checking(checking), positions)
            }
        };
        Ok(Self {
            task,
            work,
            sequence: executor.open(positions)?,
            cached: 0,
            passes: 0,
            record: Record::default(),
        })
    }

    /// The next positions to execute, split as the task specifies.
    fn step(&self) -> Option<Step<'_>> {
        let splits = &self.task.splits;
        let positions = match splits.len() {
            0 => usize::MAX,
            length => splits[self.passes % length] as usize,
        };
        let room = StepBudget {
            positions,
            rows: ROWS,
        };
        match &self.work {
            Work::Generation(generation) => generation.step(self.cached, room),
            Work::Checking(checking) => checking.step(self.cached, room),
        }
    }

    fn feed(&mut self, hidden: BlocksRef<'_>, logits: &[i32], vocabulary: usize) {
        self.record.add_hidden(hidden);
        self.record.add_logits(logits, vocabulary);
        match &mut self.work {
            Work::Generation(generation) => {
                generation.feed(hidden, logits);
            }
            Work::Checking(checking) => checking.feed(hidden, logits),
        }
    }

    fn advance(&mut self, cached: usize) {
        self.cached = cached;
        self.passes += 1;
    }

    fn finish(self) -> Result<Evidence> {
        let (tokens, hidden, flaw) = match self.work {
            Work::Generation(generation) => {
                let answer = generation.finish();
                (answer.tokens, answer.hidden, None)
            }
            Work::Checking(checking) => {
                let checked = checking.finish().context("The check has no end.")?;
                let answer = self.task.answer.clone().unwrap_or_default();
                (answer, checked.hidden, checked.flaw)
            }
        };
        Ok(Evidence {
            tokens,
            hidden,
            record: self.record,
            flaw: flaw.map(|flaw| flaw.to_string()),
        })
    }
}
