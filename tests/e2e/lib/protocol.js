// The hashes and trees of the protocol, as `primitives/protocol` and `primitives/claims` define them,
// implemented a second time, so that tests can sign answers, checks and verdicts of their own.

import { compactToU8a, stringToU8a, u8aConcat, u8aToHex, hexToU8a, bnToU8a } from '@polkadot/util';
import { blake2AsU8a, randomAsHex } from '@polkadot/util-crypto';

const tagged = (domain, ...fields) =>
  u8aToHex(blake2AsU8a(u8aConcat(stringToU8a(domain), ...fields), 256));
const bytes = (value) => u8aConcat(compactToU8a(value.length), value);
const u16 = (value) => bnToU8a(value, { bitLength: 16, isLe: true });
const u32 = (value) => bnToU8a(value, { bitLength: 32, isLe: true });
const u64 = (value) => bnToU8a(value, { bitLength: 64, isLe: true });

/** UTF-8 bytes of a text; bytes stay unchanged. */
export const utf8 = (text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);

export const promptHash = (prompt) => tagged('noema/prompt', bytes(utf8(prompt)));

export const answerHash = (tokens, text) =>
  tagged(
    'noema/output',
    compactToU8a(tokens.length),
    ...tokens.map(u32),
    bytes(utf8(text)),
  );

/**
 * The payload that a hot key signs to submit for a controller (its public key) on the chain with this genesis
 * hash.
 */
export const possessionPayload = (genesis, controller) =>
  tagged('noema/possession', hexToU8a(genesis), controller);

/** The payload that a hot key (its public key) signs, over the hash of a recent block, to have a call executed. */
export const dutyPayload = (block, key, call) => tagged('noema/duty', hexToU8a(block), key, call);

const VERDICTS = ['True', 'False'];

/** The commitment of a juror (its controller's public key) to its verdict on a disputed leaf. */
export const verdictCommitment = (claim, leaf, juror, verdict, salt) =>
  tagged(
    'noema/verdict',
    u64(claim),
    u32(leaf),
    juror,
    Uint8Array.of(VERDICTS.indexOf(verdict)),
    hexToU8a(salt),
  );

/** The commitment of a validator (its controller's public key) to its check of a leaf. */
export const checkCommitment = (claim, leaf, validator, hidden, salt) =>
  tagged('noema/check', u64(claim), u32(leaf), validator, hexToU8a(hidden), hexToU8a(salt));

/** The hash of a receipt: the leaf of a claim. */
export const receiptHash = (receipt) => {
  const { maxTokens, temperatureMilli, topK, topPMilli } = receipt.parameters;
  return tagged(
    'noema/receipt',
    u64(receipt.request),
    hexToU8a(receipt.checkpoint),
    hexToU8a(receipt.promptHash),
    ...[maxTokens, temperatureMilli, topK, topPMilli].map(u16),
    hexToU8a(receipt.seed),
    hexToU8a(receipt.answerHash),
    u32(receipt.promptTokens),
    u32(receipt.answerTokens),
    hexToU8a(receipt.hiddenRoot),
  );
};

/** The sampling seed of answer `n` of a session. */
export const answerSeed = (seed, n) => tagged('noema/answer-seed', hexToU8a(seed), u32(n));

/** The hash of an encoded receipt of a session: the leaf of a claim. */
export const sessionReceiptHash = (encoded) => tagged('noema/session-receipt', encoded);

/** The payload of an encoded voucher, which the voucher key of its session signs. */
export const voucherPayload = (encoded) => tagged('noema/voucher', encoded);

/**
 * The rows of the Merkle tree over hashes, from the hashes of its leaves to the root: a node is the hash of
 * its two children, and the last node of an odd row moves up unchanged.
 */
function rows(leaves) {
  const tree = [leaves.map((leaf) => blake2AsU8a(hexToU8a(leaf), 256))];
  while (tree.at(-1).length > 1) {
    const row = tree.at(-1);
    const next = [];
    for (let i = 0; i < row.length; i += 2) {
      next.push(i + 1 < row.length ? blake2AsU8a(u8aConcat(row[i], row[i + 1]), 256) : row[i]);
    }
    tree.push(next);
  }
  return tree;
}

/** The Merkle root over hashes: of the hidden states of an answer, or of the receipts of a claim. */
export const merkleRoot = (leaves) => u8aToHex(rows(leaves).at(-1)[0]);

/** The root that a leaf, at `index` of `width`, and its siblings lead to; `null` where their number is wrong. */
export function rootOf(leaf, index, width, siblings) {
  const left = [...siblings];
  let node = blake2AsU8a(hexToU8a(leaf), 256);
  for (; width > 1; index >>= 1, width = (width + 1) >> 1) {
    // The last node of an odd row has no sibling.
    if (index % 2 === 0 && index === width - 1) continue;
    if (left.length === 0) return null;
    const sibling = hexToU8a(left.shift());
    node = blake2AsU8a(index % 2 ? u8aConcat(sibling, node) : u8aConcat(node, sibling), 256);
  }
  return left.length === 0 ? u8aToHex(node) : null;
}

/** The siblings of the leaf at `index`, upwards. */
export function merklePath(leaves, index) {
  const siblings = [];
  for (const row of rows(leaves).slice(0, -1)) {
    const sibling = row[index ^ 1];
    if (sibling) siblings.push(u8aToHex(sibling));
    index >>= 1;
  }
  return siblings;
}

/** The position of `positions` that a validator has to show, whose seat is at `point`. */
export const positionOf = (point, positions) => Number((BigInt(point) * BigInt(positions)) >> 64n);

/** The commitment of a trainer (its controller's public key) to its contribution. */
export const contributionCommitment = (round, trainer, { update, bytes: size }, salt) =>
  tagged('noema/contribution', u64(round), trainer, hexToU8a(update), u32(size), hexToU8a(salt));

const finding = (value) => {
  if (value === 'Unavailable') return Uint8Array.of(0);
  if (value === 'Malformed') return Uint8Array.of(1);
  if (value.Copy) return u8aConcat(Uint8Array.of(2), u32(value.Copy.of));
  const { assigned, evaluation } = value.Scored;
  return u8aConcat(Uint8Array.of(3), u64(assigned.before), u64(assigned.after), u64(evaluation));
};

/** The commitment of a validator (its controller's public key) to its scores. */
export const scoreCommitment = (round, validator, { parent, findings }, salt) =>
  tagged(
    'noema/scores',
    u64(round),
    validator,
    u64(parent),
    compactToU8a(findings.length),
    ...findings.map(finding),
    hexToU8a(salt),
  );

export const randomHash = () => randomAsHex(32);
