import { createHash } from 'node:crypto';
import type { Finding } from '../../core/audit/findings.ts';
import { PAIR_VERDICTS } from '../../core/audit/pairs.ts';
import type { AuditedVolume, RpoStatus, VolumeAtDestination } from '../../core/audit/volumes.ts';
import { type AuditedDestination, countsOf } from '../../core/audit.ts';
import { count, duration, inMinutes } from '../words.ts';
import { otherInstalls } from './audit-text.ts';
import { tableOf, wordsOf } from './finding-words.ts';
import { html, type Markup, NOTHING, type Piece, userText } from './markup.ts';
import { STYLE } from './page-style.ts';
import { headline, number, type Report, rpoOf, subline, windowOf } from './report.ts';
import { MARK, SHAPES, sample, timeline } from './timeline.ts';

/** What is shown of each; the rest is named by number. */
const MOST = { items: 100, itemsAtOnce: 3, openVolumes: 40, healthyAtOnce: 10 };

/** Timelines of protected volumes end here: a page of some MB is slow to open, and mail does not take it. */
const TIMELINES_BYTES = 4_000_000;

/**
 * The audit as one page: without scripts, and without anything from elsewhere. What users wrote, tags above all, can
 * neither become part of the page nor load anything, which the page's policy forbids besides.
 */
export function auditPage(report: Report): string {
  const { install } = report.evidence;
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${{ markup: hash }}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${headline(report)} – ${install.name}</title>
<link rel="icon" href="${icon(report)}">
<style>${{ markup: STYLE }}</style>
</head>
<body>
${SHAPES}
<main>
${verdict(report)}
${tiles(report)}
${destinations(report)}
${findings('What is wrong', 'problem', report)}
${volumes(report)}
${findings('What else there is', 'notice', report)}
${footer(report)}
</main>
</body>
</html>
`;
  return page.markup;
}

type Mood = 'good' | 'bad' | 'none';

function moodOf({ audit }: Report): Mood {
  if (audit.volumes.length === 0) return 'none';
  return audit.isProtected ? 'good' : 'bad';
}

const SIGN: Readonly<Record<Mood, string>> = {
  good: 'M13 23l7 7 12-14',
  bad: 'M22 12v13M22 31.5v.5',
  none: 'M22 12v13M22 31.5v.5',
};

function icon(report: Report): string {
  const mood = moodOf(report);
  const colour = { good: '#2f9e68', bad: '#d6333d', none: '#d98a00' }[mood];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 44"><circle cx="22" cy="22" r="22" fill="${colour}"/><path d="${SIGN[mood]}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function verdict(report: Report): Markup {
  const { evidence, rules } = report;
  const { install, now, since } = evidence;
  const mood = moodOf(report);
  const facts: readonly (readonly [string, string])[] = [
    ['Audited, by AWS’s clock', inMinutes(now)],
    ['Account', install.account],
    ['Install', `${install.name}, ${install.region}`],
    ['Recovery point objective (RPO)', rpoOf(evidence)],
    ['Snapshots of the last', `${windowOf(evidence)}, since ${inMinutes(since)}`],
    ['Rules', `${rules.file}${rules.areDeployed ? ', as deployed' : ', not those that are deployed'}`],
  ];
  return html`<p class="kicker">EBS Snapshot Copier: audit of the copies that exist in EC2</p>
<section class="verdict ${mood}" aria-labelledby="verdict">
<svg viewBox="0 0 44 44" aria-hidden="true"><circle class="${mood}-fill" cx="22" cy="22" r="22"/><path class="sign" d="${SIGN[mood]}"/></svg>
<div><h1 id="verdict">${headline(report)}</h1><p>${subline(report)}</p></div>
</section>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

interface Tile {
  readonly value: string;
  readonly label: Piece;
  readonly tone?: 'good' | 'bad';
}

function tiles({ audit, evidence }: Report): Markup {
  const counts = countsOf(audit.pairs);
  const safe = audit.volumes.filter(({ status }) => status === 'protected').length;
  const broken = counts.failed + counts.missing + counts['wrong-encryption'];
  const nameOf = namesIn(audit);
  const worst = audit.destinations
    .flatMap((each) => (each.oldest === undefined ? [] : [{ ...each.oldest, destination: each.destination }]))
    .toSorted((a, b) => a.dataTime - b.dataTime)
    .at(0);
  const tone = (isBad: boolean): Pick<Tile, 'tone'> => (isBad ? { tone: 'bad' } : {});
  const list: readonly Tile[] = [
    {
      value: number(safe),
      label: `of ${count(audit.volumes.length, 'volume')} protected`,
      ...(audit.volumes.length > 0 && { tone: safe === audit.volumes.length ? 'good' : 'bad' }),
    },
    {
      value: number(counts.protected + counts.duplicate),
      label: `of ${count(audit.pairs.length, 'copy', 'copies')} there`,
    },
    { value: number(counts['under-way']), label: 'under way, in good time' },
    { value: number(counts.late), label: 'late', ...tone(counts.late > 0) },
    { value: number(broken), label: 'failed, missing or under a wrong key', ...tone(broken > 0) },
  ];
  const furthest: readonly Tile[] =
    worst === undefined
      ? []
      : [
          {
            value: duration(evidence.now.getTime() - worst.dataTime),
            label: html`old is the newest copy of ${userText(nameOf(worst.volumeId))} at ${worst.destination}`,
            ...tone(evidence.now.getTime() - worst.dataTime > evidence.rpoSeconds * 1000),
          },
        ];
  return html`<ul class="tiles" aria-label="In numbers">${[...list, ...furthest].map(
    ({ value, label, tone: colour = '' }) => html`<li class="${colour}"><b>${value}</b><span>${label}</span></li>`,
  )}</ul>`;
}

/** What people call a volume. */
function namesIn({ volumes: all }: Report['audit']): (volumeId: string) => string {
  const names = new Map(all.map(({ volumeId, name }) => [volumeId, name]));
  return (volumeId) => names.get(volumeId) ?? volumeId;
}

function findings(title: string, severity: Finding['severity'], report: Report): Markup {
  const found = report.audit.findings.filter((finding) => finding.severity === severity);
  if (found.length === 0) return NOTHING;
  return html`<h2>${title}</h2>${found.map((finding) => findingCard(finding, report))}`;
}

function findingCard(finding: Finding, report: Report): Markup {
  const words = wordsOf(finding, report);
  const { title, advice, commands } = words;
  const { items, cause, severity } = finding;
  const [head = [], ...rows] = tableOf(finding, words, MOST.items, report.evidence.now);
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${head.map(
    (column) => html`<th scope="col">${column}</th>`,
  )}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${row.map((cell) => html`<td class="${cellClass(cell)}">${userText(cell)}</td>`)}</tr>`,
  )}</tbody></table></div>`;
  const left = items.length - rows.length;
  const rest = left > 0 ? html`<p class="soft">… and ${number(left)} more, which --json and --csv have.</p>` : NOTHING;
  const list =
    items.length <= MOST.itemsAtOnce
      ? table
      : html`<details class="more"><summary>Show ${left > 0 ? `the first ${number(rows.length)}` : `all ${number(rows.length)}`}</summary>${table}${rest}</details>`;
  return html`<section class="card finding ${severity}"><h3>${title}</h3>${
    cause === undefined ? NOTHING : html`<p class="cause">${userText(cause)}</p>`
  }<p>${advice}</p>${commands.length === 0 ? NOTHING : html`<pre><code>${commands.map(commandLine)}</code></pre>`}${list}</section>`;
}

/** Ids are kept in one piece, and sentences get room. */
function cellClass(cell: string): string {
  if (/^(?:(?:snap|vol)-[0-9a-f]+(?:, )?)+$/.test(cell)) return 'id';
  return cell.length > 40 ? 'why' : '';
}

/** Breaks between words only. */
function commandLine(command: string, index: number): Markup {
  const words = command.split(' ').map((word, place) => html`${place === 0 ? '' : ' '}<span>${word}</span>`);
  return html`${index === 0 ? '' : '\n'}${words}`;
}

function destinations({ audit, evidence }: Report): Markup {
  if (audit.destinations.length === 0) return NOTHING;
  const columns = PAIR_VERDICTS.map((each) => ({ verdict: each, words: MARK[each].words }));
  const others = otherInstalls(audit.destinations);
  const nameOf = namesIn(audit);
  return html`<h2>Destinations</h2>
<div class="card"><p class="soft">What became of the selected snapshots at each, and what else there is</p><div class="scroll" tabindex="0" role="region" aria-label="Destinations"><table class="counts" aria-label="Destinations">
<thead><tr><th scope="col">Destination</th><th scope="col" class="num">Snapshots</th>${columns.map(
    ({ words }) => html`<th scope="col" class="num">${words}</th>`,
  )}<th scope="col" class="num">orphaned</th><th scope="col" class="num">full, not expected</th><th scope="col">Furthest behind</th></tr></thead>
<tbody>${audit.destinations.map((each) => destinationRow(each, nameOf, evidence.now))}</tbody>
</table></div>${others.map((line) => html`<p class="soft more">${userText(line)}</p>`)}</div>`;
}

function destinationRow(found: AuditedDestination, nameOf: (volumeId: string) => string, now: Date): Markup {
  const { destination, snapshots, verdicts, orphans, fullCopies, oldest, volumesBehind } = found;
  const cells = [
    [snapshots, ''],
    ...PAIR_VERDICTS.map((each) => [verdicts[each], TONE[each]] as const),
    [orphans, ''],
    [fullCopies, ''],
  ] as const;
  const behind =
    volumesBehind === 0
      ? NOTHING
      : html` <span class="chip bad">${count(volumesBehind, 'volume')} behind the RPO</span>`;
  return html`<tr><th scope="row" class="id">${destination}</th>${cells.map(
    ([value, tone]) => html`<td class="num ${value === 0 ? 'zero' : tone}">${number(value)}</td>`,
  )}<td>${
    oldest === undefined
      ? 'none'
      : html`${duration(now.getTime() - oldest.dataTime)}, ${userText(nameOf(oldest.volumeId))}`
  }${behind}</td></tr>`;
}

const TONE = {
  protected: '',
  duplicate: 'warn',
  'under-way': '',
  late: 'bad',
  missing: 'bad',
  failed: 'bad',
  'wrong-encryption': 'bad',
} as const;

function volumes(report: Report): Markup {
  const { volumes: all } = report.audit;
  if (all.length === 0) return NOTHING;
  const bad = all.filter(({ status }) => status !== 'protected');
  const healthy = all.filter(({ status }) => status === 'protected');
  const legend = html`<ul class="legend" aria-label="Marks of the timelines"><li><svg class="sample" width="12" height="12" aria-hidden="true"><circle cx="6" cy="6"/></svg>snapshot</li>${PAIR_VERDICTS.map(
    (each) => html`<li>${sample(each)}${MARK[each].words}</li>`,
  )}<li><svg class="sample" width="14" height="12" aria-hidden="true"><rect class="rpo" x="1" y="1" width="12" height="10"/></svg>within the RPO</li></ul>`;
  const open = bad.slice(0, MOST.openVolumes);
  const closed = bad.slice(MOST.openVolumes);
  return html`<h2>Volumes</h2>${legend}
${open.map((volume) => html`<section class="card volume">${volumeMarkup(volume, report, true)}</section>`)}
${group(`${count(closed.length, 'more volume')} that ${closed.length === 1 ? 'is' : 'are'} not protected`, closed, report)}
${group(`${count(healthy.length, 'protected volume')}`, healthy, report)}`;
}

/** Volumes that are read only by who wants to. When there are very many, the last ones have no timeline. */
function group(title: string, members: readonly AuditedVolume[], report: Report): Markup {
  if (members.length === 0) return NOTHING;
  let bytes = 0;
  let drawn = 0;
  const list = members.map((volume) => {
    const isDrawn = bytes < TIMELINES_BYTES;
    const markup = html`<section class="volume">${volumeMarkup(volume, report, isDrawn)}</section>`;
    bytes += markup.markup.length;
    if (isDrawn) drawn += 1;
    return markup;
  });
  const note =
    drawn === members.length
      ? NOTHING
      : html`<p class="soft more">The first ${number(drawn)} have a timeline; of the others --csv has every snapshot.</p>`;
  const isShort = members.length === report.audit.volumes.length && members.length <= MOST.healthyAtOnce;
  return html`<details class="card healthy"${isShort ? html` open` : NOTHING}><summary>${title}</summary>${note}${list}</details>`;
}

function volumeMarkup(volume: AuditedVolume, report: Report, isDrawn: boolean): Markup {
  const { volumeId, name, sizeGiB, state, ownerId, status, newestSnapshot, hasStopped, destinations: places } = volume;
  const { now, install } = report.evidence;
  const stopped = hasStopped
    ? html`<span class="chip bad">no snapshot for ${duration(now.getTime() - newestSnapshot.time)}</span>`
    : NOTHING;
  const chip =
    status === 'protected'
      ? NOTHING
      : html`<span class="chip bad">${status === 'gaps' ? 'has gaps' : 'not protected'}</span>`;
  return html`<header><h3>${name === undefined ? NOTHING : html`${userText(name)} `}<span class="id soft">${volumeId}</span></h3>${chip}${stopped}${
    state === 'deleted' ? html`<span class="chip plain">volume deleted</span>` : NOTHING
  }<span class="soft">${number(sizeGiB)} GiB${ownerId === install.account ? '' : `, account ${ownerId}`}</span></header>
<ul class="places">${places.map((place) => placeMarkup(place, now))}</ul>${isDrawn ? timeline(volume, report) : NOTHING}`;
}

const RPO: Readonly<Record<RpoStatus, { readonly words: string; readonly css: string }>> = {
  kept: { words: 'RPO kept', css: 'good' },
  broken: { words: 'RPO broken', css: 'bad' },
  starting: { words: 'first snapshot is younger than the RPO', css: 'plain' },
  ended: { words: 'as of its last snapshot', css: 'plain' },
  unknown: { words: 'volume unknown', css: 'plain' },
};

function placeMarkup({ destination, newestCopy, rpo }: VolumeAtDestination, now: Date): Markup {
  const { words, css } = RPO[rpo];
  const age =
    newestCopy === undefined ? 'no good copy' : `newest good copy ${duration(now.getTime() - newestCopy.dataTime)} old`;
  return html`<li><span class="id">${destination}</span>: ${age} <span class="chip ${css}">${words}</span></li>`;
}

function footer({ evidence, troubles }: Report): Markup {
  const rpo = rpoOf(evidence);
  const unknown =
    troubles.length === 0
      ? NOTHING
      : html`<h2>What could not be asked</h2>${troubles.map((trouble) => html`<p class="card">${userText(trouble)}</p>`)}`;
  const terms: readonly (readonly [string, string])[] = [
    ['copied', 'EC2 has exactly one complete copy with this install’s tags, not given up, encrypted as the rule says.'],
    ['under way', `No good copy yet, the snapshot is younger than ${rpo}, and it waits for a slot or is being copied.`],
    ['late', `The same, but the snapshot is older than ${rpo}.`],
    ['missing', 'No good copy, and nobody works on one.'],
    ['failed', 'No good copy, and the service gave up and sent an alert, or EC2 ended the copy in error.'],
    ['wrong key', 'A complete copy, but plain or under another key than the rule says.'],
    ['duplicate', 'Protected, but more copies than the one that is promised.'],
    ['age of a copy', 'Always that of its data: the time when the source snapshot was taken, not when it was copied.'],
    [
      'full, not expected',
      'A copy that EC2’s rule makes full although the volume had been copied there before. EC2 shows this nowhere but in the event of the copy, so it is computed from the copies that exist now.',
    ],
  ];
  return html`${unknown}<footer>
<p>Judged by the snapshots and copies that EC2 showed at ${inMinutes(evidence.now)}. The service’s own ledger was asked only why a copy is not there.</p>
<details><summary>What the words mean</summary><dl>${terms.map(([term, meaning]) => html`<dt>${term}</dt><dd>${meaning}</dd>`)}</dl></details>
</footer>`;
}
