import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { auditPage } from '../../cli/audit/audit-page.ts';
import type { Report } from '../../cli/audit/report.ts';
import type { Evidence } from '../../core/audit/evidence.ts';
import { audit } from '../../core/audit.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copyOf, evidence, pendingCopyOf, requestFor, rule, source } from '../core/audit/evidence-examples.ts';
import { destination } from '../support/examples.ts';
import { installedBrowser, type Look, withPage } from './audit-browser.ts';

function reportOf(over: Partial<Evidence>, more: Partial<Report> = {}): Report {
  const known = evidence(over);
  return {
    audit: audit(known),
    evidence: known,
    rules: { file: 'copy-rules.yml', areDeployed: true, lineOf: () => 'copy-rules.yml:2' },
    troubles: [],
    options: { ours: '', aws: '' },
    ...more,
  };
}

const TO_TWO = [rule({ destinations: [destination(), destination({ region: 'us-east-1' })] })];

/** So many volumes with so many snapshots over the time that is audited; all are copied unless `lacks` says otherwise. */
function install(
  volumes: number,
  snapshots: number,
  lacks: (volume: number, snapshot: number) => 'copy' | 'nothing' = () => 'nothing',
): Partial<Evidence> {
  const sources: Snapshot[] = [];
  const copies: Snapshot[] = [];
  const exist = new Map<string, { exists: boolean; name: string }>();
  for (let volume = 0; volume < volumes; volume++) {
    const volumeId = `vol-0${String(volume).padStart(16, '0')}`;
    exist.set(volumeId, { exists: true, name: `server-${volume}` });
    for (let index = 0; index < snapshots; index++) {
      const of = source(volume * snapshots + index, 3 + (index * 24 * 29.5) / snapshots, { volumeId });
      sources.push(of);
      for (const region of lacks(volume, index) === 'copy' ? ['us-east-1'] : ['eu-central-1', 'us-east-1']) {
        copies.push(copyOf(of, { snapshotId: `${of.snapshotId}${region.length}`, region }));
      }
    }
  }
  return { rules: TO_TWO, sources, copies, volumes: exist };
}

/** Every verdict once, each kind of finding, and names that want to be more than names. */
const EVIL = `</title><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)> " ' & \u202Egnp.exe \u001b[31m`;
function everything(): Report {
  const [failed, missing, late, twice] = [source(1, 70), source(2, 60), source(3, 50), source(4, 40)];
  const [wrong, young, unwanted] = [source(5, 30), source(6, 4), source(7, 20, { tags: { Backup: EVIL } })];
  const sources = [failed, missing, late, twice, wrong, young, unwanted].map((each) => ({
    ...each,
    tags: { Backup: 'nightly', ...each.tags, Name: EVIL },
  }));
  const quiet = source(8, 200, { volumeId: 'vol-0quiet' });
  const encryption = { kind: 'account-default' } as const;
  const sealed = { encrypted: true };
  return reportOf(
    {
      rules: [rule({ destinations: [destination({ encryption })] })],
      sources,
      copies: [
        pendingCopyOf(late),
        copyOf(twice, sealed),
        copyOf(twice, { ...sealed, snapshotId: 'snap-0ee' }),
        copyOf(wrong),
        pendingCopyOf(young),
        copyOf(unwanted, sealed),
        copyOf(source(9, 25), sealed),
        copyOf(quiet, sealed),
        copyOf(source(10, 999, { volumeId: 'vol-0unseen', ownerId: '111122223333' }), sealed),
        copyOf(source(11, 50), { ...sealed, tags: { 'snapshot-copier:managed': EVIL } }),
      ],
      ledger: { requests: [requestFor(failed, { status: 'failed', reason: EVIL })], unreadable: new Set() },
      volumes: new Map([
        [failed.volumeId, { exists: true, name: EVIL }],
        ['vol-0quiet', { exists: true }],
      ]),
    },
    { troubles: [`AWS said ${EVIL}`] },
  );
}

describe('the page of an audit', () => {
  it.each([
    ['All 3 volumes protected', install(3, 2)],
    ['The only volume is protected', install(1, 2)],
    ['1 of 3 volumes is not protected', install(3, 2, (volume) => (volume === 0 ? 'copy' : 'nothing'))],
    ['None of 2 volumes is protected', install(2, 2, () => 'copy')],
    ['The only volume is not protected', install(1, 2, () => 'copy')],
    ['There is nothing to protect', {}],
  ])('says first: %s', (headline, known) => {
    const page = auditPage(reportOf(known));
    expect(page).toContain(`<h1 id="verdict">${headline}</h1>`);
    expect(page).toContain(`<title>${headline} – ebs-snapshot-copier-test</title>`);
  });

  it('is complete in itself: it loads nothing, runs nothing, and its policy forbids both', () => {
    const page = auditPage(everything());
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
    expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="${policy}">`);
    expect(style).not.toMatch(/url\(|@import/);
    expect(page).not.toMatch(/<(?:script|img|iframe|object|embed|form|base)\b/i);
    expect(page).not.toMatch(/<[^>]*\s(?:style|src|on\w+)=/i);
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(links.filter((href) => !href.startsWith('#') && !href.startsWith('data:image/svg+xml,'))).toEqual([]);
  });

  it('shows what users wrote as what it is: text, that turns nothing around and colours no terminal', () => {
    const page = auditPage(everything());
    expect(page).toContain('&lt;img src=http://evil.example/x onerror=alert(1)&gt; &quot; &#39; &amp; ·gnp.exe ·[31m');
    expect(page).not.toContain('</title><script>');
    expect(page).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  it('is well-formed, and no two things in it have the same name', () => {
    const page = auditPage(everything());
    const asXml = page
      .replace('<!doctype html>', '')
      .replaceAll(/<(meta|link)([^>]*)>/g, '<$1$2/>')
      .replaceAll(' open>', ' open="">');
    expect(XMLValidator.validate(asXml)).toBe(true);
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual(expect.arrayContaining(used));
    expect(used.length).toBeGreaterThan(5);
  });

  it('draws a snapshot once, with its fate at each destination, and says the same to who cannot see', () => {
    const [old, young] = [source(1, 15 * 24), source(2, 3)];
    const failed = copyOf(old, { region: 'us-east-1', state: 'error', snapshotId: 'snap-0e' });
    const page = auditPage(
      reportOf({
        rules: TO_TWO,
        sources: [old, young],
        copies: [copyOf(old), failed, copyOf(young), copyOf(young, { snapshotId: 'snap-0f', region: 'us-east-1' })],
      }),
    );
    expect(page).toContain(
      `<g><title>${old.snapshotId}, 2026-02-23 12:00Z: eu-central-1 copied, us-east-1 failed</title><circle cx="50%" cy="23"/><rect x="50%" y="52"/><use class="fail" href="#fail" x="50%" y="91"/></g>`,
    );
    expect(page).toContain(`<g><title>${young.snapshotId}, 2026-03-10 09:00Z: copied</title>`);
    expect(page).toContain(
      'aria-label="Timeline of vol-0123456789abcdef0: 2 snapshots. eu-central-1: 2 copied. us-east-1: 1 failed, 1 copied."',
    );
    expect(page).toContain('<rect class="rpo" x="96.7%" y="17" width="3.3%"');
  });

  it('draws snapshots that would overlap and ended alike as one', () => {
    const page = auditPage(reportOf(install(1, 700, (_, index) => (index >= 100 && index < 120 ? 'copy' : 'nothing'))));
    const titles = [...page.matchAll(/<title>(\d+ snapshots.*?)<\/title>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      '580 snapshots, 2026-02-08 22:00Z to 2026-03-05 07:37Z: copied',
      '20 snapshots, 2026-03-05 08:38Z to 2026-03-06 03:51Z: eu-central-1 missing, us-east-1 copied',
      '100 snapshots, 2026-03-06 04:52Z to 2026-03-10 09:00Z: copied',
    ]);
  });

  it('keeps protected volumes folded away, unless they are few and all there is', () => {
    expect(auditPage(reportOf(install(10, 1)))).toContain(
      '<details class="card healthy" open><summary>10 protected volumes',
    );
    expect(auditPage(reportOf(install(11, 1)))).toContain(
      '<details class="card healthy"><summary>11 protected volumes',
    );
    const some = install(5, 2, (volume) => (volume === 0 ? 'copy' : 'nothing'));
    expect(auditPage(reportOf(some))).toContain('<details class="card healthy"><summary>4 protected volumes');
    const many = auditPage(reportOf(install(60, 2, () => 'copy')));
    expect(many).toContain('<summary>20 more volumes that are not protected</summary>');
  });

  it('stays small with 500 volumes of 30 snapshots at two destinations, all with their timelines', () => {
    const page = auditPage(
      reportOf(install(500, 30, (volume, index) => (volume % 50 === 0 && index < 2 ? 'copy' : 'nothing'))),
    );
    expect(page.length).toBeLessThan(3_500_000);
    expect(page.match(/<svg class="line"/g)).toHaveLength(500);
  });

  it('draws no more timelines than a page can bear, and says so', () => {
    const page = auditPage(reportOf(install(1200, 30)));
    expect(page.length).toBeLessThan(5_000_000);
    expect(page).toMatch(/The first \d{3} have a timeline; of the others --csv has every snapshot\./);
    expect(page.match(/<section class="volume">/g)).toHaveLength(1200);
  });

  it('lists a hundred of the same kind at most', () => {
    const page = auditPage(reportOf(install(150, 1, () => 'copy')));
    expect(page).toContain('<h3>150 snapshots have no copy at eu-central-1, and nobody works on them</h3>');
    expect(page).toContain('<summary>Show the first 100</summary>');
    expect(page).toContain('… and 50 more, which --json and --csv have.');
  });
});

const browser = installedBrowser();
const LOOKS: readonly Look[] = [
  { width: 360, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
];

const measured = z.object({
  title: z.string(),
  width: z.number(),
  unreadable: z.array(z.string()),
});

/** Text in the page whose colour has a contrast below 4.5 to what is behind it: https://www.w3.org/TR/WCAG22/#contrast-minimum */
const MEASURE = `(() => {
  const channel = (value) => { const share = value / 255; return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4; };
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const unreadable = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === '' || element.closest('title, defs') !== null) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(rgba(element.closest('svg') === null ? style.color : style.fill)), luminance(behind(element))].toSorted((a, b) => b - a);
    if ((light + 0.05) / (dark + 0.05) < 4.5) unreadable.push(node.textContent.trim());
  }
  return { title: document.title, width: document.documentElement.scrollWidth, unreadable };
})()`;

describe.skipIf(browser === undefined)('in Chromium the page', () => {
  function written(report: Report): string {
    const folder = mkdtempSync(join(tmpdir(), 'audit-page-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'report.html');
    writeFileSync(file, auditPage(report));
    return pathToFileURL(file).href;
  }

  it.each(LOOKS)(
    'fits $width pixels, is readable in $scheme, asks for nothing else and gives no cause for complaint',
    async (look) => {
      const url = written(everything());
      await withPage(browser ?? '', url, look, async ({ evaluate, requests, complaints }) => {
        const { title, width, unreadable } = measured.parse(await evaluate(MEASURE));
        expect(title).toBe('None of 2 volumes is protected – ebs-snapshot-copier-test');
        expect(width).toBeLessThanOrEqual(look.width);
        expect(unreadable).toEqual([]);
        expect(requests.filter((each) => !each.startsWith('data:'))).toEqual([url]);
        expect(complaints).toEqual([]);
        expect(await evaluate(`document.querySelectorAll('script, img').length`)).toBe(0);
      });
    },
  );

  it('has the marks of each snapshot and of its fate within the timeline', async () => {
    const url = written(everything());
    const marks = await withPage(browser ?? '', url, { width: 1000, scheme: 'light' }, ({ evaluate }) =>
      evaluate(`(() => {
        const svg = document.querySelector('svg.line[aria-label*="vol-0123456789abcdef0"]');
        const frame = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll('g > :not(title)')].map((mark) => mark.getBoundingClientRect());
        const drawn = boxes.filter(({ width, height }) => width > 3 && height > 3);
        const inside = boxes.filter(({ left, right, top, bottom }) =>
          left > frame.left && right < frame.right && top > frame.top && bottom < frame.bottom);
        return { all: boxes.length, drawn: drawn.length, inside: inside.length };
      })()`),
    );
    expect(marks).toEqual({ all: 12, drawn: 12, inside: 12 });
  });
});
