// Losses in bits for a token.

/** The unit of losses on chain: this part of a bit. */
const UNIT = 65_536;

/** A summed loss as bits for a token. */
export const bits = (loss, tokens) => (tokens > 0 ? loss / UNIT / tokens : null);

/** The tokens over which the losses of a round are summed. */
export const evaluated = (round) => round.evaluation.length * round.dataset.shardTokens;

/** A number of bits. */
export const digits = (value) => (value >= 0.1 ? value.toFixed(4) : value.toPrecision(4));

/** Bits for a token, as text. */
export const told = (value) => (value === null ? 'unknown' : `${digits(value)} bits a token`);
