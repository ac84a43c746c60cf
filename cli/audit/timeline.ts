import type { PairVerdict } from '../../core/audit/pairs.ts';
import type { AuditedVolume } from '../../core/audit/volumes.ts';
import { count, inMinutes } from '../words.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import { number, type Report, rpoOf } from './report.ts';

/** How a verdict is called on the page, and drawn: shapes differ, so that colour is not needed to tell them apart. */
export const MARK: Readonly<Record<PairVerdict, { readonly words: string; readonly css: string }>> = {
  protected: { words: 'copied', css: 'ok' },
  duplicate: { words: 'duplicate', css: 'dup' },
  'under-way': { words: 'under way', css: 'way' },
  late: { words: 'late', css: 'late' },
  missing: { words: 'missing', css: 'miss' },
  failed: { words: 'failed', css: 'fail' },
  'wrong-encryption': { words: 'wrong key', css: 'key' },
};

/** The shapes that `use` refers to, 12 by 12 around 0. The most frequent one, `ok`, is a plain rectangle. */
export const SHAPES: Markup = html`<svg class="defs" aria-hidden="true"><defs><path id="dup" d="M-5-5.5h4v11h-4zM1-5.5h4v11H1z"/><path id="way" d="M-3-5h6V5h-6z"/><path id="late" d="M0-6 6 5H-6z"/><path id="miss" d="M-4.5-4.5h9v9h-9zM-4.5-4.5l9 9M4.5-4.5l-9 9"/><path id="fail" d="M-5.5-3.5l2-2L0-2l3.5-3.5 2 2L2 0l3.5 3.5-2 2L0 2l-3.5 3.5-2-2L-2 0z"/><path id="key" d="M0-6 6 0 0 6-6 0z"/></defs></svg>`;

/** A mark by itself, for the legend. */
export function sample(verdict: PairVerdict): Markup {
  const { css } = MARK[verdict];
  return html`<svg class="sample" width="16" height="14" aria-hidden="true">${mark(verdict, html`8`, 7, css)}</svg>`;
}

const LANE = 34;
const FIRST_MARKS = 23;

/** Snapshots that happened alike and stand so close that their marks would overlap: drawn as one. */
interface Column {
  readonly from: number;
  readonly to: number;
  readonly firstId: string;
  readonly count: number;
  /** In the order of the volume's destinations; undefined where no rule wants it. */
  readonly verdicts: readonly (PairVerdict | undefined)[];
}

/**
 * The snapshots of a volume over the time that is audited, and below what each destination has of them. It fits into any
 * width: places are percentages, marks keep their size.
 */
export function timeline(volume: AuditedVolume, { evidence }: Pick<Report, 'evidence'>): Markup {
  const { since, now, rpoSeconds, install } = evidence;
  const span = now.getTime() - since.getTime();
  const place = (time: number): string => percent((time - since.getTime()) / span);
  const { destinations } = volume;
  const columns = columnsOf(volume, span);
  const height = (destinations.length + 1) * LANE + 18;
  const rpoFrom = Math.max(since.getTime(), now.getTime() - rpoSeconds * 1000);
  const lanes = [`snapshots in ${install.region}`, ...destinations.map(({ destination }) => destination)];

  return html`<svg class="line" height="${height}" role="img" aria-label="${summary(volume, columns)}">
<rect class="rpo" x="${place(rpoFrom)}" y="17" width="${percent((now.getTime() - rpoFrom) / span)}" height="${height - 33}"/>
${lanes.map((lane, index) => html`<text y="${index * LANE + 13}">${lane}</text><line y1="${index * LANE + FIRST_MARKS + 9}" x2="100%" y2="${index * LANE + FIRST_MARKS + 9}"/>`)}
<text class="end" x="100%" y="13">RPO ${rpoOf(evidence)}</text>
${columns.map((column) => columnMarkup(column, volume, place))}
${ticks(since.getTime(), span).map(({ at, label }, index, all) => html`<text class="tick${tickClass(index, all.length)}" x="${percent(at)}" y="${height - 4}">${label}</text>`)}
</svg>`;
}

function columnMarkup(column: Column, volume: AuditedVolume, place: (time: number) => string): Markup {
  const { from, to, verdicts } = column;
  const isOne = from === to;
  const x = { markup: place((from + to) / 2) };
  const wide = isOne
    ? NOTHING
    : html` x="${place(from)}" width="${(Number.parseFloat(place(to)) - Number.parseFloat(place(from))).toFixed(2)}%"`;
  const marks = verdicts.map((verdict, index) => {
    if (verdict === undefined) return NOTHING;
    const y = (index + 1) * LANE + FIRST_MARKS;
    const bar = isOne ? NOTHING : html`<rect class="run ${MARK[verdict].css}"${wide} y="${y - 5}" height="10"/>`;
    return isOne || verdict !== 'protected' ? html`${bar}${mark(verdict, x, y, MARK[verdict].css)}` : bar;
  });
  const source = isOne
    ? html`<circle cx="${x}" cy="${FIRST_MARKS}"/>`
    : html`<rect class="run snap"${wide} y="${FIRST_MARKS - 2}" height="4"/>`;
  return html`<g><title>${tooltip(column, volume)}</title>${source}${marks}</g>`;
}

function mark(verdict: PairVerdict, x: Markup, y: number, css: string): Markup {
  return verdict === 'protected'
    ? html`<rect x="${x}" y="${y - 5}"/>`
    : html`<use class="${css}" href="#${css}" x="${x}" y="${y}"/>`;
}

function tooltip({ from, to, firstId, count: snapshots, verdicts }: Column, { destinations }: AuditedVolume): string {
  const what =
    snapshots === 1
      ? `${firstId}, ${inMinutes(new Date(from))}`
      : `${number(snapshots)} snapshots, ${inMinutes(new Date(from))} to ${inMinutes(new Date(to))}`;
  const [first] = verdicts;
  const words = (verdict: PairVerdict | undefined): string =>
    verdict === undefined ? 'not wanted' : MARK[verdict].words;
  const fates = verdicts.every((verdict) => verdict === first)
    ? words(first)
    : verdicts.map((verdict, index) => `${destinations[index]?.destination} ${words(verdict)}`).join(', ');
  return `${what}: ${fates}`;
}

/** Marks are 7 wide, and a timeline is rarely wider than 1,000 or narrower than a third of that. */
const CLOSE = 1 / 120;

function columnsOf({ destinations }: AuditedVolume, span: number): readonly Column[] {
  const bySnapshot = new Map<string, { readonly time: number; readonly verdicts: (PairVerdict | undefined)[] }>();
  for (const [index, { pairs }] of destinations.entries()) {
    for (const { source, verdict } of pairs) {
      const known = bySnapshot.get(source.snapshotId);
      const verdicts = known?.verdicts ?? destinations.map(() => undefined);
      verdicts[index] = verdict;
      if (known === undefined) bySnapshot.set(source.snapshotId, { time: Date.parse(source.startTime), verdicts });
    }
  }
  const columns: Column[] = [];
  for (const [snapshotId, { time, verdicts }] of [...bySnapshot].toSorted(([, a], [, b]) => a.time - b.time)) {
    const last = columns.at(-1);
    const isAlike = last?.verdicts.every((verdict, index) => verdict === verdicts[index]) === true;
    if (last !== undefined && isAlike && time - last.to < span * CLOSE) {
      columns.splice(-1, 1, { ...last, to: time, count: last.count + 1 });
    } else {
      columns.push({ from: time, to: time, firstId: snapshotId, count: 1, verdicts });
    }
  }
  return columns;
}

/** For who cannot see it. */
function summary({ volumeId, destinations }: AuditedVolume, columns: readonly Column[]): string {
  const snapshots = columns.reduce((sum, each) => sum + each.count, 0);
  const parts = destinations.map(({ destination, pairs }) => {
    const counts = [...Map.groupBy(pairs, ({ verdict }) => verdict)].map(
      ([verdict, those]) => `${number(those.length)} ${MARK[verdict].words}`,
    );
    return `${destination}: ${counts.join(', ') || 'none'}`;
  });
  return `Timeline of ${volumeId}: ${count(snapshots, 'snapshot')}. ${parts.join('. ')}.`;
}

/** Moments with names; those at the edges have longer ones. */
function ticks(start: number, span: number): readonly { readonly at: number; readonly label: string }[] {
  const isShort = span <= 3 * 86_400_000;
  return [0, 0.25, 0.5, 0.75, 1].map((at) => {
    const time = new Date(start + at * span).toISOString();
    const isEdge = at === 0 || at === 1;
    if (isShort) return { at, label: `${isEdge ? `${time.slice(5, 10)} ` : ''}${time.slice(11, 16)}` };
    return { at, label: isEdge ? time.slice(0, 10) : time.slice(5, 10) };
  });
}

/** Those in between that a narrow page leaves out are `half`. */
function tickClass(index: number, ticks: number): string {
  if (index === 0) return ' start';
  if (index === ticks - 1) return ' end';
  return index % 2 === 1 ? ' half' : '';
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}
