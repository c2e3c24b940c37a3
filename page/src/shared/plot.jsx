// Plots in SVG: lines over numbers, and bars. Each has its numbers in a table below, for readers who do not see it.

import { whole } from './format.js';

const SIZE = { width: 640, height: 260 };
const MARGIN = { top: 12, right: 16, bottom: 34, left: 64 };
const TICKS = 5;

/** Round numbers from `low` to `high`. */
function ticks(low, high, most = TICKS) {
  if (!(high > low)) return [low];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const first = Math.ceil(low / step) * step;
  const found = [];
  for (let tick = first; tick <= high + step * 1e-9; tick += step) found.push(Number(tick.toPrecision(12)));
  return found;
}

/** A number on an axis. */
function axisNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)} G`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4) return whole(Math.round(value));
  return String(+value.toPrecision(3));
}

function Axes({ x, y, xOf, yOf, xLabel, yLabel, xTicks, yTicks, xText = axisNumber }) {
  const { width, height } = SIZE;
  const bottom = height - MARGIN.bottom;
  return (
    <g class="axes">
      {yTicks.map((tick) => (
        <g key={`y${tick}`}>
          <line x1={MARGIN.left} x2={width - MARGIN.right} y1={yOf(tick)} y2={yOf(tick)} />
          <text x={MARGIN.left - 6} y={yOf(tick) + 4} text-anchor="end">{axisNumber(tick)}</text>
        </g>
      ))}
      {xTicks.map((tick) => <text key={`x${tick}`} x={xOf(tick)} y={bottom + 15} text-anchor="middle">{xText(tick)}</text>)}
      <text x={(MARGIN.left + width - MARGIN.right) / 2} y={height - 3} text-anchor="middle" class="label">{xLabel}</text>
      <text x={12} y={(MARGIN.top + bottom) / 2} text-anchor="middle" class="label" transform={`rotate(-90 12 ${(MARGIN.top + bottom) / 2})`}>{yLabel}</text>
    </g>
  );
}

/** The keys of a plot's colours. */
const Legend = ({ entries }) => (
  <ul class="legend">{entries.map(({ name, colour }) => <li key={name}><span class={`key c${colour}`} aria-hidden="true" />{name}</li>)}</ul>
);

function Numbers({ head, rows }) {
  return (
    <details class="numbers">
      <summary>The numbers</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="The numbers of the plot">
        <table>
          <thead><tr>{head.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>{rows.map((row, place) => <tr key={place}>{row.map((cell, column) => <td key={column}>{cell}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

/**
 * Lines. Each series is `{ name, colour, points: [[x, y]], steps, dots }`; `marks` are vertical lines `{ x, name }`,
 * `table` the head and rows of the numbers.
 */
export function Lines({ title, series, xLabel, yLabel, marks = [], table, fromZero = false, xText }) {
  const points = series.flatMap((line) => line.points);
  if (points.length === 0) return null;
  const xs = [...points.map(([x]) => x), ...marks.map(({ x }) => x)];
  const ys = points.map(([, y]) => y);
  const x = [Math.min(...xs), Math.max(...xs)];
  if (x[0] === x[1]) x[1] = x[0] + 1;
  let y = [fromZero ? 0 : Math.min(...ys), Math.max(...ys)];
  const pad = (y[1] - y[0]) * 0.08 || Math.abs(y[1]) * 0.05 || 1;
  y = [fromZero ? 0 : y[0] - pad, y[1] + pad];
  const { width, height } = SIZE;
  const xOf = (value) => MARGIN.left + ((value - x[0]) / (x[1] - x[0])) * (width - MARGIN.left - MARGIN.right);
  const yOf = (value) => height - MARGIN.bottom - ((value - y[0]) / (y[1] - y[0])) * (height - MARGIN.top - MARGIN.bottom);
  const path = ({ points: list, steps }) =>
    list.map(([px, py], place) => {
      const at = `${xOf(px).toFixed(1)} ${yOf(py).toFixed(1)}`;
      if (place === 0) return `M${at}`;
      return steps ? `H${xOf(px).toFixed(1)}V${yOf(py).toFixed(1)}` : `L${at}`;
    }).join('');
  const isWhole = xs.every(Number.isInteger);
  const xTicks = ticks(x[0], x[1], 6).filter((tick) => !isWhole || Number.isInteger(tick));
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      <div class="scroll">
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
          <Axes x={x} y={y} xOf={xOf} yOf={yOf} xLabel={xLabel} yLabel={yLabel} xTicks={xTicks} yTicks={ticks(y[0], y[1])} xText={xText} />
          {marks.map((mark) => (
            <g key={mark.name} class="mark-line">
              <line x1={xOf(mark.x)} x2={xOf(mark.x)} y1={MARGIN.top} y2={height - MARGIN.bottom} />
              <text x={xOf(mark.x) + (xOf(mark.x) > width - 90 ? -4 : 4)} y={MARGIN.top + 10} text-anchor={xOf(mark.x) > width - 90 ? 'end' : 'start'}>{mark.name}</text>
            </g>
          ))}
          {series.map((line) => (
            <g key={line.name} class={`series c${line.colour}`}>
              {line.lines !== false && <path d={path(line)} />}
              {line.dots && line.points.map(([px, py], place) => <circle key={place} cx={xOf(px)} cy={yOf(py)} r="3.5"><title>{`${px}: ${py.toPrecision(6)}`}</title></circle>)}
            </g>
          ))}
        </svg>
      </div>
      {series.length > 1 && <Legend entries={series} />}
      {table && <Numbers {...table} />}
    </figure>
  );
}

/** Bars, each `{ x, parts: [number] }` of the `kinds` `{ name, colour }`. */
export function Bars({ title, bars, kinds, xLabel, yLabel, table }) {
  if (bars.length === 0) return null;
  const { width, height } = SIZE;
  const most = Math.max(...bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0))) * 1.08 || 1;
  const space = (width - MARGIN.left - MARGIN.right) / bars.length;
  const yOf = (value) => height - MARGIN.bottom - (value / most) * (height - MARGIN.top - MARGIN.bottom);
  const xOf = (place) => MARGIN.left + (place + 0.5) * space;
  const every = Math.ceil(bars.length / 12);
  const shownTicks = bars.map((_, place) => place).filter((place) => place % every === 0);
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      <div class="scroll">
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
          <Axes x={[0, bars.length]} y={[0, most]} xOf={xOf} yOf={yOf} xLabel={xLabel} yLabel={yLabel} xTicks={shownTicks} yTicks={ticks(0, most)} xText={(place) => String(bars[place].x)} />
          {bars.map((bar, place) => {
            let base = 0;
            const thick = Math.min(space * 0.7, 28);
            return (
              <g key={bar.x}>
                {bar.parts.map((part, kind) => {
                  const top = yOf(base + part);
                  const tall = yOf(base) - top;
                  base += part;
                  return <rect key={kind} class={`c${kinds[kind].colour}`} x={xOf(place) - thick / 2} y={top} width={thick} height={Math.max(0, tall)} />;
                })}
              </g>
            );
          })}
        </svg>
      </div>
      <Legend entries={kinds} />
      {table && <Numbers {...table} />}
    </figure>
  );
}
