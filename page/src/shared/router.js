// Addresses of the page's objects: the part after `#/`, such as `#/block/12`.

import { useEffect, useState } from 'preact/hooks';

const read = () => {
  const hash = window.location.hash;
  if (!hash.startsWith('#/')) return [];
  return hash
    .slice(2)
    .split('/')
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
};

/** The parts of the present address. */
export function useRoute() {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const change = () => setRoute(read());
    window.addEventListener('hashchange', change);
    return () => window.removeEventListener('hashchange', change);
  }, []);
  return route;
}

/** The address of an object. */
export const href = (...parts) => `#/${parts.map((part) => encodeURIComponent(String(part))).join('/')}`;

/** Goes to an object; without an entry in the history if `replaces`. */
export function go(parts, { replaces = false } = {}) {
  const to = href(...parts);
  if (to === window.location.hash) return;
  if (!replaces) {
    window.location.hash = to;
    return;
  }
  window.history.replaceState(null, '', to);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
