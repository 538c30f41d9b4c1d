/** A plot of what happened lately, by uPlot. */
import { make, write } from "./dom.js";

/** @typedef {import("./history.js").History} History */
/**
 * @typedef {object} PlotSeries
 * @property {string} name of the history
 * @property {string} label
 * @property {1 | 2 | 3 | 4} colour of the theme
 * @property {boolean} [filled]
 */
/**
 * @typedef {object} PlotOptions
 * @property {string} title
 * @property {readonly PlotSeries[]} series
 * @property {(value: number | null | undefined) => string} format
 * @property {boolean} [binary] whether round values are powers of two
 */

const HEIGHT_PX = 148;
const AXIS_PX = 58;
const SPAN_S_MIN = 60;
/** Steps of an axis of bytes: powers of two. */
const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
const DASHES = [[], [6, 4], [2, 3], [9, 3, 2, 3]];

/** One plot with its title and a legend that shows the last values, or those under the pointer. */
export class Plot {
  element;
  #options;
  #box = make("div", { class: "plot-canvas" });
  /** @type {HTMLElement[]} */
  #values = [];
  /** @type {import("uplot") | null} */
  #plot = null;
  #resized = new ResizeObserver(() => this.#resize());

  /** @param {PlotOptions} options */
  constructor(options) {
    this.#options = options;
    const legend = options.series.map(({ label, colour }) => {
      const value = make("span", { class: "plot-value" }, "–");
      this.#values.push(value);
      const key = make("span", {
        class: `plot-key key-${colour}`,
        "aria-hidden": "true",
      });
      return make("li", {}, key, make("span", { class: "plot-label" }, label), value);
    });
    this.element = make(
      "figure",
      { class: "plot", "aria-label": options.title },
      make(
        "figcaption",
        {},
        make("h3", {}, options.title),
        make("ul", { class: "legend" }, ...legend),
      ),
      this.#box,
    );
    this.#resized.observe(this.#box);
  }

  /**
   * Draws what is known now.
   * @param {History} history
   * @param {number} seconds
   */
  draw(history, seconds) {
    const { series } = this.#options;
    const data = history.view(series.map(({ name }) => name), seconds);
    this.#create();
    const now = Date.now() / 1_000;
    // While little is known, that fills the plot.
    const span = Math.min(seconds, Math.max(SPAN_S_MIN, now - (data[0]?.[0] ?? now)));
    this.#plot?.setData(/** @type {any} */ (data), false);
    this.#plot?.setScale("x", { min: now - span, max: now });
    if ((this.#plot?.cursor.idx ?? null) === null) {
      this.#show(data.map((column) => column.at(-1)));
    }
  }

  /** Draws it anew in the colours of the theme. */
  restyle() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Ends it. */
  destroy() {
    this.#resized.disconnect();
    this.restyle();
  }

  #create() {
    if (this.#plot !== null || this.#box.clientWidth === 0) return;
    const style = getComputedStyle(this.#box);
    const UPlot =
      /** @type {{ uPlot: typeof import("uplot") }} */ (/** @type {unknown} */ (globalThis))
        .uPlot;
    this.#plot = new UPlot(this.#settings(style), [[]], this.#box);
  }

  /**
   * @param {CSSStyleDeclaration} style
   * @returns {import("uplot").Options}
   */
  #settings(style) {
    const { series, format, binary = false } = this.#options;
    const axis = {
      stroke: style.getPropertyValue("--muted"),
      font: `11px ${style.fontFamily}`,
      grid: { stroke: style.getPropertyValue("--grid"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.#box.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: "relayq" },
        points: { size: 7 },
        drag: { x: false, y: false },
      },
      scales: { x: { time: true }, y: { range: rangeOf } },
      axes: [
        { ...axis, space: 90, values: "{HH}:{mm}:{ss}", grid: { show: false }, size: 26 },
        {
          ...axis,
          size: AXIS_PX,
          space: 34,
          ...(binary ? { incrs: BINARY_STEPS } : {}),
          values: (_plot, splits) => splits.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...series.map(({ label, colour, filled = false }) => {
          const stroke = style.getPropertyValue(`--series-${colour}`);
          return {
            label,
            stroke,
            width: 1.75,
            dash: DASHES[colour - 1] ?? [],
            points: { show: false },
            ...(filled ? { fill: `${stroke}1f` } : {}),
          };
        }),
      ],
      hooks: { setCursor: [(plot) => this.#pointed(plot)] },
    };
  }

  /** @param {import("uplot")} plot */
  #pointed(plot) {
    const index = plot.cursor.idx ?? null;
    this.#show(plot.data.map((column) => index === null ? column.at(-1) : column[index]));
  }

  /** @param {readonly (number | null | undefined)[]} row with the time first */
  #show(row) {
    for (const [index, value] of this.#values.entries()) {
      write(value, this.#options.format(row[index + 1]));
    }
  }

  #resize() {
    if (this.#box.clientWidth > 0) {
      this.#plot?.setSize({ width: this.#box.clientWidth, height: HEIGHT_PX });
    }
  }
}

/**
 * From nothing to a little more than the highest value; a line of zeros lies on the ground.
 * @param {import("uplot")} _plot
 * @param {number | null} _min
 * @param {number | null} max
 * @returns {[number, number]}
 */
function rangeOf(_plot, _min, max) {
  return [0, max === null || !(max > 0) ? 1 : max * 1.12];
}
