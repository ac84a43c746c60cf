import type { Evidence } from '../../core/audit/evidence.ts';
import { type Audit, countsOf } from '../../core/audit.ts';
import { count, duration } from '../words.ts';

/** An audit with all that its readers should know about it. */
export interface Report {
  readonly audit: Audit;
  readonly evidence: Pick<Evidence, 'install' | 'now' | 'since' | 'rpoSeconds'>;
  readonly rules: {
    readonly file: string;
    /** False: those that are deployed are others. */
    readonly areDeployed: boolean;
    /** Place of a rule, for example `copy-rules.yml:12`. */
    readonly lineOf: (name: string) => string | undefined;
  };
  /** What could not be asked. */
  readonly troubles: readonly string[];
  /** Of the command line: what to put behind a command so that it speaks to the same install, for example ` --region eu-west-1`. */
  readonly options: { readonly ours: string; readonly aws: string };
}

/** The verdict in one line: `3 of 41 volumes are not protected`. */
export function headline({ audit: { volumes, unseenAccounts, isProtected } }: Pick<Report, 'audit'>): string {
  const bad = volumes.filter(({ status }) => status !== 'protected').length;
  if (bad === 0 && unseenAccounts.length > 0) {
    return `Nothing is known of ${count(unseenAccounts.length, 'source account')}`;
  }
  if (volumes.length === 0) return 'There is nothing to protect';
  if (isProtected)
    return volumes.length === 1 ? 'The only volume is protected' : `All ${number(volumes.length)} volumes protected`;
  if (volumes.length === 1) return 'The only volume is not protected';
  if (bad === volumes.length) return `None of ${number(volumes.length)} volumes is protected`;
  return `${number(bad)} of ${number(volumes.length)} volumes ${bad === 1 ? 'is' : 'are'} not protected`;
}

/** What the headline means, in one or two sentences. */
export function subline(report: Pick<Report, 'audit' | 'evidence'>): string {
  const { unseenAccounts, volumes } = report.audit;
  const known = volumes.length === 0 && unseenAccounts.length > 0 ? [] : [sublineOfKnown(report)];
  const accounts = unseenAccounts.map(({ account }) => account).join(' and ');
  const unseen = unseenAccounts.length === 0 ? [] : [`Account ${accounts} could not be looked into.`];
  return [...known, ...unseen].join(' ');
}

function sublineOfKnown({ audit: { volumes, pairs }, evidence }: Pick<Report, 'audit' | 'evidence'>): string {
  const rpo = rpoOf(evidence);
  if (volumes.length === 0) {
    return `No rule selects any snapshot of the last ${windowOf(evidence)}. If that surprises you, \`snapshot-copier plan\` says why.`;
  }
  const behind = volumes.filter(({ status }) => status === 'unprotected').length;
  const gaps = volumes.filter(({ status }) => status === 'gaps').length;
  if (behind + gaps === 0) {
    const { protected: done, duplicate, 'under-way': underWay } = countsOf(pairs);
    const copies = `${number(done + duplicate)} of ${count(pairs.length, 'copy', 'copies')}`;
    const rest =
      underWay === 0
        ? ''
        : `; ${number(underWay)} more ${underWay === 1 ? 'is' : 'are'} under way, none for longer than ${rpo}`;
    return pairs.length === 0
      ? `Each has a good copy of data that are younger than ${rpo}, at every destination.`
      : `EC2 has ${copies} that the rules ask for${rest}.`;
  }
  const them = gaps === 1 ? 'keeps the RPO, but a snapshot of it' : 'keep the RPO, but a snapshot of each';
  return [
    ...(behind === 0
      ? []
      : [
          `${number(behind)} ${behind === 1 ? 'has' : 'have'} no good copy of data younger than ${rpo} at a destination.`,
        ]),
    ...(gaps === 0 ? [] : [`${number(gaps)} ${them} lacks its copy.`]),
  ].join(' ');
}

/** How long the time is that is audited. */
export function windowOf({ now, since }: Pick<Report['evidence'], 'now' | 'since'>): string {
  return duration(now.getTime() - since.getTime());
}

/** In hours, as people speak of it, unless it is many days. */
export function rpoOf({ rpoSeconds }: Pick<Report['evidence'], 'rpoSeconds'>): string {
  const hours = rpoSeconds / 3600;
  return Number.isInteger(hours) && hours <= 72 ? `${hours} h` : duration(rpoSeconds * 1000);
}

export function number(value: number): string {
  return new Intl.NumberFormat('en').format(value);
}
