// Answers and receipts that a test signs in place of a worker.

import { answerHash, merkleRoot, promptHash, randomHash } from './protocol.js';

/**
 * An answer of `tokens` without execution: its hidden states are random, so its worker and validators in
 * collusion with it know all of them.
 */
export function madeUp({ tokens = [1, 2, 3, 4], text = 'made up', promptTokens = 20 } = {}) {
  const hidden = tokens.map(() => randomHash());
  return { tokens, text, promptTokens, hidden, hiddenRoot: merkleRoot(hidden) };
}

/** The receipt of an answer to request `id`, whose `state` is known, with `changes` to its fields. */
export function receiptOf(id, { checkpoint, prompt, parameters, assignment }, answer, changes = {}) {
  return {
    request: id,
    checkpoint,
    promptHash: promptHash(Buffer.from(prompt.slice(2), 'hex')),
    parameters,
    seed: assignment.seed,
    answerHash: answerHash(answer.tokens, answer.text),
    promptTokens: answer.promptTokens,
    answerTokens: answer.tokens.length,
    hiddenRoot: answer.hiddenRoot,
    ...changes,
  };
}
