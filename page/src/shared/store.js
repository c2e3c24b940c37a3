// Values that parts of the page watch.

import { useEffect, useState } from 'preact/hooks';

/** A value with those who are told of its changes. */
export class Watched {
  #value;
  #watchers = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
  }

  /** Calls `watcher` after each change; returns what ends that. */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The present value, in a component. */
export function useWatched(watched) {
  const [value, setValue] = useState(watched.value);
  useEffect(() => {
    setValue(watched.value);
    // A function would be called by `setValue`.
    return watched.watch((next) => setValue(() => next));
  }, [watched]);
  return value;
}

/** A value kept in this browser under `name`. */
export function kept(name, fallback) {
  const key = `noema/${name}`;
  let value = fallback;
  try {
    const text = localStorage.getItem(key);
    if (text !== null) value = JSON.parse(text);
  } catch {
    // Without storage, or with a text of another version, it is the fallback.
  }
  const watched = new Watched(value);
  watched.watch((next) => {
    try {
      if (next === null || next === undefined) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // It lasts as long as the page then.
    }
  });
  return watched;
}
