// What components read of the chain.

import { useEffect, useRef, useState } from 'preact/hooks';

import { useWatched } from '../shared/store.js';
import { eventsWhere, revision } from './blocks.js';
import { api, best } from './node.js';

/**
 * The result of `read(api)`, again after every `every` blocks: `{ value, error, isLoading }`. A read that lasts longer
 * than a block is not begun again before its end.
 */
export function useRead(read, dependencies, { every = 1 } = {}) {
  const [state, setState] = useState({ value: undefined, error: null, isLoading: true });
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    let isOver = false;
    let isReading = false;
    let isWanted = false;
    let last = -Infinity;
    setState({ value: undefined, error: null, isLoading: true });
    const look = async () => {
      isWanted = false;
      isReading = true;
      last = best.value?.number ?? 0;
      const next = await Promise.resolve()
        .then(() => latest.current(api))
        .then((value) => ({ value, error: null, isLoading: false }), (error) => ({ error, isLoading: false }));
      isReading = false;
      if (isOver) return;
      // What was read before is better than an error.
      setState((before) => ({ ...before, ...next }));
      if (isWanted) look();
    };
    look();
    const stop = best.watch((head) => {
      if (head.number - last < every && head.number >= last) return;
      if (isReading) isWanted = true;
      else look();
    });
    return () => {
      isOver = true;
      stop();
    };
  }, dependencies);
  return state;
}

/** The events that were read and that `test` accepts, latest first. */
export function useEvents(test, most) {
  useWatched(revision);
  return eventsWhere(test, most);
}
