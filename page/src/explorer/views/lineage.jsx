// The lineage of a family's checkpoints, drawn: generations from left to right, siblings below one another.

import { short } from '../../shared/format.js';
import { href } from '../../shared/router.js';

const NODE = { width: 150, height: 50 };
const GAP = { x: 34, y: 14 };
const EDGE = 8;

/** Places each checkpoint: its generation, and a row; a parent is in the row of its first child. */
function layout(checkpoints) {
  const children = new Map();
  const ids = new Set(checkpoints.map(({ id }) => id));
  const roots = [];
  for (const checkpoint of checkpoints) {
    if (!checkpoint.parent || !ids.has(checkpoint.parent)) roots.push(checkpoint);
    else children.set(checkpoint.parent, [...(children.get(checkpoint.parent) ?? []), checkpoint]);
  }
  const places = new Map();
  const first = Math.min(...checkpoints.map(({ generation }) => generation));
  let rows = 0;
  // The canonical branch comes first, so that it is a straight line. A stack: a lineage is longer than what may recurse.
  const stack = roots.reverse().map((checkpoint) => ({ checkpoint, row: null }));
  while (stack.length) {
    const { checkpoint, row } = stack.pop();
    const own = row ?? rows++;
    places.set(checkpoint.id, { checkpoint, column: checkpoint.generation - first, row: own });
    const ordered = (children.get(checkpoint.id) ?? []).sort((one, other) => Number(other.wasCanonical) - Number(one.wasCanonical));
    ordered.slice(1).reverse().forEach((child) => stack.push({ checkpoint: child, row: null }));
    if (ordered.length) stack.push({ checkpoint: ordered[0], row: own });
  }
  return { places, rows };
}

const xOf = ({ column }) => EDGE + column * (NODE.width + GAP.x);
const yOf = ({ row }) => EDGE + row * (NODE.height + GAP.y);

/** The graph; `loss` returns a checkpoint's loss in words, or null. */
export function Lineage({ checkpoints, canonical, loss, present = null }) {
  if (!checkpoints.length) return <p class="quiet">No checkpoint is registered.</p>;
  const { places, rows } = layout(checkpoints);
  const columns = Math.max(...[...places.values()].map(({ column }) => column)) + 1;
  const width = 2 * EDGE + columns * (NODE.width + GAP.x) - GAP.x;
  const height = 2 * EDGE + rows * (NODE.height + GAP.y) - GAP.y;
  const edges = [...places.values()].filter(({ checkpoint }) => places.has(checkpoint.parent));
  return (
    <div class="scroll lineage" tabIndex={0} role="region" aria-label="Lineage of the checkpoints">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        {edges.map((place) => {
          const from = places.get(place.checkpoint.parent);
          const [x1, y1, x2, y2] = [xOf(from) + NODE.width, yOf(from) + NODE.height / 2, xOf(place), yOf(place) + NODE.height / 2];
          const middle = (x1 + x2) / 2;
          return <path key={place.checkpoint.id} class="edge" d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`} />;
        })}
        {[...places.values()].map((place) => {
          const { checkpoint } = place;
          const isCanonical = checkpoint.id === canonical;
          const said = loss(checkpoint);
          const state = isCanonical ? 'canonical' : checkpoint.status === 'Withdrawn' ? 'withdrawn' : `generation ${checkpoint.generation}`;
          return (
            <a key={checkpoint.id} href={href('checkpoint', checkpoint.id)} aria-label={`Checkpoint ${short(checkpoint.id, 8)}, ${state}${said ? `, ${said}` : ''}`}
              aria-current={checkpoint.id === present ? 'true' : undefined}>
              <g class={`node ${isCanonical ? 'canonical' : ''} ${checkpoint.id === present ? 'present' : ''}`} transform={`translate(${xOf(place)} ${yOf(place)})`}>
                <rect width={NODE.width} height={NODE.height} rx="8" />
                <text x="10" y="20" class="mono">{short(checkpoint.id, 8)}</text>
                <text x="10" y="38" class="small">{said ?? state}</text>
              </g>
            </a>
          );
        })}
      </svg>
    </div>
  );
}
