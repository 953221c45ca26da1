import { count } from './format.ts';

const [WIDTH, HEIGHT, GAP] = [600, 88, 2];

/** Allowed and denied requests over time, as bars that the script moves; drawn here, so that it is there without one. */
export function TrafficChart(props: {
  readonly slices: readonly (readonly [allowed: number, denied: number])[];
  readonly from: string;
  readonly to: string;
}) {
  const { slices } = props;
  const highest = Math.max(1, ...slices.map(([allowed, denied]) => allowed + denied));
  const step = WIDTH / slices.length;
  const denied = slices.reduce((sum, slice) => sum + slice[1], 0);
  const all = slices.reduce((sum, slice) => sum + slice[0] + slice[1], 0);
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Requests over time: ${count(all)} in all, ${count(denied)} denied`}
        data-chart={HEIGHT}
      >
        <line class="chart-base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {slices.map((slice, place) => {
          const [allowedBar, deniedBar] = barsOf(slice, highest);
          const [x, width] = [place * step, step - GAP];
          return (
            <g>
              <rect class="bar-allowed" x={x} width={width} y={allowedBar[0]} height={allowedBar[1]} />
              <rect class="bar-denied" x={x} width={width} y={deniedBar[0]} height={deniedBar[1]} />
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span id="chart-from">{props.from}</span>
        <span class="legend">
          <span class="swatch swatch-denied"></span>denied <span class="swatch swatch-allowed"></span>allowed
        </span>
        <span id="chart-to">{props.to}</span>
      </figcaption>
    </figure>
  );
}

type Bar = readonly [y: number, height: number];

/** The bar of what was denied stands on the ground, that of what was allowed upon it. */
function barsOf([allowed, denied]: readonly [number, number], highest: number): readonly [Bar, Bar] {
  const tall = (value: number) => (value === 0 ? 0 : Math.max(1.5, (value / highest) * (HEIGHT - 4)));
  const [top, foot] = [tall(allowed), tall(denied)];
  return [
    [round(HEIGHT - foot - top), round(top)],
    [round(HEIGHT - foot), round(foot)],
  ];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
