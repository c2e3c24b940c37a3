// The rules of requests and claims, which governance sets.

import { plain } from './chain.js';

/** The whole of a share, in millionths. */
export const WHOLE = 1_000_000n;
/** Changes under which every answer is checked. */
export const CHECK_ALL = { claims: { minCheckRate: WHOLE } };
/**
 * Windows that no honest operator misses on a busy machine, for a block every so many milliseconds. A phase ends as soon
 * as all parties have acted, so these windows cost time only where a party is silent.
 */
export function unhurried(blockTime) {
  const blocks = (seconds) => BigInt(Math.ceil((seconds * 1000) / blockTime));
  return { claims: { windows: { commit: blocks(20), reveal: blocks(15) } }, requests: { answer: blocks(20) } };
}

/** The payment of a juror for a seat, and of a claimant that wins a dispute, by the terms of the claim. */
export function jurorFee({ checkFee, leafTokens, rules }) {
  const ofCheck = checkFee / rules.validatorsPerLeaf;
  const least = rules.jurorFeePerToken * leafTokens;
  return ofCheck > least ? ofCheck : least;
}

/** The current rules. */
export async function readRules(chain) {
  const { Protocol } = plain(await chain.api.query.parameters.parameters({ Protocol: 'ProtocolClaimRules' }));
  return { claims: Protocol.ProtocolClaimRules, requests: plain(await chain.view('Inference', 'rules')) };
}

const changed = (rules, { windows, ...changes } = {}) => ({
  ...rules,
  ...changes,
  ...(windows && { windows: { ...rules.windows, ...windows } }),
});

/** Rules with `changes` to those of claims, their windows included, and to those of requests. */
export const withChanges = ({ claims, requests }, changes = {}) => ({
  claims: changed(claims, changes.claims),
  requests: changed(requests, changes.requests),
});

/** The call that sets parameters of the chain, by their names. */
export const setParameters = (chain, values) =>
  chain.call('utility.batchAll', Object.entries(values).map(([name, value]) =>
    chain.call('parameters.setParameter', { Protocol: { [name]: [null, value] } })));

/** The call that sets rules. */
export const setRules = (chain, { claims, requests }) =>
  setParameters(chain, { ProtocolClaimRules: claims, ProtocolRequestRules: requests });
