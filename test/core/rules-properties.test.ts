import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldAt } from '../../core/rules/fields.ts';
import { checkRules } from '../../core/rules.ts';
import { rightDocument } from './rules-documents.ts';

type Path = readonly (string | number)[];

describe('checkRules, for any document', () => {
  it('finds no problem in a right one, and keeps what it says', () => {
    fc.assert(
      fc.property(rightDocument, (document) => {
        const { rules, problems } = checkRules(document);
        expect(problems).toEqual([]);
        expect(rules.map((rule) => rule.name)).toEqual(document.rules.map((rule) => rule.name));
        for (const [index, rule] of rules.entries()) {
          const written = document.rules[index];
          expect(rule.select).toEqual(written?.select ?? {});
          expect(rule.destinations).toMatchObject((written?.destinations ?? []).map(asItStands));
        }
      }),
    );
  });

  it('finds a single wrong value, whatever it is and wherever it stands, and points at nothing else', () => {
    const broken = rightDocument.chain((document) => {
      const targets = pathsOf(document).filter((path) => wrongValues(path).length > 0);
      return fc
        .constantFrom(...targets)
        .chain((path) => fc.tuple(fc.constant(document), fc.constant(path), fc.constantFrom(...wrongValues(path))));
    });
    fc.assert(
      fc.property(broken, ([document, path, value]) => {
        const { rules, problems } = checkRules(replaced(document, path, value));
        expect(rules).toEqual([]);
        expect(new Set(problems.map(({ segments }) => JSON.stringify(segments)))).toEqual(
          new Set([JSON.stringify(path)]),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('finds a key that does not belong, in every mapping that has fixed keys', () => {
    const withExtraKey = rightDocument.chain((document) => {
      const mappings = pathsOf(document).filter((path) => {
        const { place } = fieldAt(path);
        return isMapping(at(document, path)) && !/(select|except)\.tags$|\.add$/.test(place);
      });
      return fc.tuple(fc.constant(document), fc.constantFrom(...mappings));
    });
    fc.assert(
      fc.property(withExtraKey, ([document, path]) => {
        const { problems } = checkRules(replaced(document, [...path, 'colour'], 'secret blue'));
        expect(problems.map(({ segments }) => segments)).toEqual([[...path, 'colour']]);
        expect(JSON.stringify(problems)).not.toContain('secret blue');
      }),
    );
  });

  it('never throws, and never answers with both rules and problems, or with neither', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almostRight()), (document) => {
        const { rules, problems } = checkRules(document);
        expect(rules.length > 0).toBe(problems.length === 0);
        for (const { found, problem, example } of problems) {
          expect([found, problem, example].every((text) => text.length > 0)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What a destination keeps as it is written. */
function asItStands(written: Readonly<Record<string, unknown>>) {
  const { encryption: _e, deadline: _d, completionDuration: _c, ...asIs } = written;
  return asIs;
}

/** Right documents with any JSON somewhere inside. */
function almostRight() {
  return rightDocument.chain((document) =>
    fc
      .tuple(fc.constantFrom(...pathsOf(document)), fc.jsonValue())
      .map(([path, value]) => replaced(document, path, value)),
  );
}

/** Values that are wrong at a place of the file, whatever stands around them. */
function wrongValues(path: Path): readonly unknown[] {
  const { place } = fieldAt(path);
  const name = place.replace(/^.*\.(?=\w)/, '');
  const ofNoKind = [null, 1.5, 'no such thing', ['neither'], {}];
  switch (name) {
    case 'rules':
    case 'destinations':
    case 'owners':
    case 'volumes':
    case 'regions':
      return [null, 7, 'text', {}, []];
    case 'rules[]':
    case 'destinations[]':
      return [null, 7, 'text', []];
    case 'select':
      return [null, 7, 'text', []];
    case 'except':
      return [null, 7, 'text', [], {}];
    case 'name':
      return [null, 7, '', 'a name', 'x'.repeat(65), 'ü', []];
    case 'dryRun':
      return [null, 0, 'yes', 'true', []];
    case 'description':
      return place.includes('destinations')
        ? [null, 7, [], '{volume}', '{snapshotId', 'a } b', 'x'.repeat(256)]
        : [null, 7, [], '', '(', '\\p{Nope}', '['];
    case 'tags':
      return place.includes('destinations') ? [null, 7, 'all', []] : [null, 7, 'Backup', [], {}];
    case 'tags.*':
      return [null, false, 'nightly', [], {}];
    case 'tags.*[]':
      return [null, 7, true, ['nightly']];
    case 'owners[]':
      return [null, 111122223333, 'me', '11112222333', '1111222233334', 'Self'];
    case 'volumes[]':
      return [...ofNoKind, 'vol-', 'vol-0123456789abcdefg', 'snap-0123456789abcdef0', 'VOL-01234567'];
    case 'regions[]':
    case 'region':
      return [...ofNoKind, 'eu-central-1a', 'eu-centrall-1', 'Frankfurt', 'us-west-2-lax-1a', ''];
    case 'outpost':
      return [...ofNoKind, 'op-0123456789abcdef0', 'arn:aws:outposts:us-west-2:111122223333:outpost/op-1'];
    case 'localZone':
      return [...ofNoKind, 'us-west-2', 'us-west-2a', 'us-east-1-wl1-bos-wlz-1'];
    case 'encryption':
      return [null, 7, true, 'alias/dr-copies', 'As-Source', []];
    case 'kmsKey':
      return [
        ...ofNoKind,
        'dr-copies',
        'alias/',
        'alias/a b',
        '1234abcd',
        'arn:aws:kms:eu-central-1:111122223333:key/alias/x',
        'arn:aws:kms:eu-central-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab',
      ];
    case 'copy':
      return [null, 7, 'some', [], {}];
    case 'copy[]':
      return [null, 7, '', 'aws:x', 'AWS:x', 'snapshot-copier:rule', 'x'.repeat(128)];
    case 'add':
      return [null, 7, 'dr', []];
    case 'add.*':
      return [null, 7, true, ['dr'], 'x'.repeat(256)];
    case 'slots':
      return [null, '18', 0, -1, 1.5, 1001, []];
    case 'deadline':
      return [null, 48, '', '48', '1w', '14m', '15d', '0m', '1.5h', '-1h'];
    case 'completionDuration':
      return [null, 4, '4', '20m', '0m', '49h', '3d', '5m'];
    default:
      return place === '' ? [null, 7, 'text', []] : [];
  }
}

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return value;
  return at(Array.isArray(value) ? value[Number(first)] : isMapping(value) ? value[first] : undefined, rest);
}

/** A copy of the document with another value at the path. */
function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === first ? replaced(item, rest, by) : item));
  const mapping = isMapping(value) ? value : {};
  return { ...mapping, [first]: replaced(Object.hasOwn(mapping, first) ? mapping[first] : undefined, rest, by) };
}
