// The hashes of the protocol, as `primitives/protocol` defines them, computed here a second time:
// the tests sign answers and verdicts of their own.

import { compactToU8a, stringToU8a, u8aConcat, u8aToHex, hexToU8a, bnToU8a } from '@polkadot/util';
import { blake2AsU8a, randomAsHex } from '@polkadot/util-crypto';

const tagged = (domain, ...fields) =>
  u8aToHex(blake2AsU8a(u8aConcat(stringToU8a(domain), ...fields), 256));
const bytes = (value) => u8aConcat(compactToU8a(value.length), value);
const u32 = (value) => bnToU8a(value, { bitLength: 32, isLe: true });
const u64 = (value) => bnToU8a(value, { bitLength: 64, isLe: true });

/** UTF-8 bytes of a text; bytes stay as they are. */
export const utf8 = (text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);

export const promptHash = (prompt) => tagged('noema/prompt', bytes(utf8(prompt)));

export const outputHash = (tokens, text) =>
  tagged(
    'noema/output',
    compactToU8a(tokens.length),
    ...tokens.map(u32),
    bytes(utf8(text)),
  );

/** What a hot key signs to submit for a controller (its public key) on the chain with this genesis hash. */
export const possessionPayload = (genesis, controller) =>
  tagged('noema/possession', hexToU8a(genesis), controller);

export const traceCommitment = (request, digest) =>
  tagged('noema/trace', u64(request), hexToU8a(digest));

/** What a hot key (its public key) signs, over the hash of a recent block, to have a call executed. */
export const dutyPayload = (block, key, call) => tagged('noema/duty', hexToU8a(block), key, call);

const VERDICTS = ['Valid', 'Invalid'];

/** What a validator (its controller's public key) commits to before it reveals. */
export const verdictCommitment = (request, validator, { verdict, digest, salt }) =>
  tagged(
    'noema/verdict',
    u64(request),
    validator,
    Uint8Array.of(VERDICTS.indexOf(verdict)),
    hexToU8a(digest),
    hexToU8a(salt),
  );

/** What a trainer (its controller's public key) commits to before it reveals. */
export const contributionCommitment = (round, trainer, { update, bytes: size }, salt) =>
  tagged('noema/contribution', u64(round), trainer, hexToU8a(update), u32(size), hexToU8a(salt));

const finding = (value) => {
  if (value === 'Unavailable') return Uint8Array.of(0);
  if (value === 'Malformed') return Uint8Array.of(1);
  if (value.Copy) return u8aConcat(Uint8Array.of(2), u32(value.Copy.of));
  const { assigned, evaluation } = value.Scored;
  return u8aConcat(Uint8Array.of(3), u64(assigned.before), u64(assigned.after), u64(evaluation));
};

/** What a validator (its controller's public key) commits to before it reveals its scores. */
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
