import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Alert, writeAlert, writeSourceNotVisibleAlert } from '../../core/alert.ts';
import type { FailedExecution } from '../../core/execution.ts';
import { readSnapshotEvent } from '../../core/snapshot-event.ts';
import {
  EXAMPLES,
  ec2Error,
  failed,
  givenUp,
  INSTALL,
  LEDGER,
  ledgerAnswer,
  REQUEST,
  request,
  thrown,
} from './alert-examples.ts';

/** The text below one heading. */
function sectionOf({ message }: Alert, heading: string): string {
  const found = message.split('\n\n').find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`There is no ${heading} in:\n${message}`);
  return found;
}

/** A section as one line, so that claims do not depend on where lines break. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

function meaningOf(execution: FailedExecution): string {
  return plain(sectionOf(writeAlert(execution, INSTALL), 'WHAT IT MEANS'));
}

function todoOf(execution: FailedExecution): string {
  return plain(sectionOf(writeAlert(execution, INSTALL), 'WHAT TO DO'));
}

const everyReason = Object.entries(EXAMPLES);

describe('an alert', () => {
  it.each(everyReason)('for %s says what failed, in whose words, what it means and what to do', (reason, execution) => {
    const alert = writeAlert(execution, INSTALL);
    expect(alert.attributes).toEqual({
      rule: 'nightly-to-frankfurt',
      sourceSnapshot: 'snap-0a1b2c3d4e5f60718',
      destinationRegion: 'eu-central-1',
      reason,
    });
    const headings = alert.message.match(/^[A-Z' 0-9]+$/gm);
    expect(headings).toEqual([
      'THE COPY',
      expect.stringMatching(/^(EC2'S OWN WORDS|THE ERROR|WHAT HAPPENED)$/),
      'WHAT IT MEANS',
      'WHAT TO DO',
      'WHAT IS LEFT OF THE COPY',
      'START IT AGAIN',
      'LINKS',
    ]);
    expect(sectionOf(alert, 'WHAT TO DO')).toMatch(/^ {2}1\. [A-Z].{15}/m);
    expect(alert.message).not.toMatch(/undefined|\[object|NaN|Invalid Date/);
  });

  it('has a text and a subject of its own for every reason', () => {
    const alerts = everyReason.map(([, execution]) => writeAlert(execution, INSTALL));
    expect(new Set(alerts.map((alert) => alert.subject)).size).toBe(everyReason.length);
    expect(new Set(alerts.map((alert) => sectionOf(alert, 'WHAT IT MEANS'))).size).toBe(everyReason.length);
  });

  it('is the same text for the same failure', () => {
    expect(writeAlert(EXAMPLES.KeyNotAccessible, INSTALL)).toEqual(writeAlert(EXAMPLES.KeyNotAccessible, INSTALL));
  });

  it.each(everyReason)('for %s keeps its prose within 100 columns, but for long names', (_, execution) => {
    const prose = /^(?! *(aws|for|copy=|printf|--|&&|\||"|\{|https?:| {2}Execution | {2}Copy | {2}Source ))/;
    const { message } = writeAlert(execution, INSTALL);
    // What was said is repeated as it was.
    const lines = message.replace(/\n(EC2'S OWN WORDS|THE ERROR|WHAT HAPPENED)\n.*\n/, '').split('\n');
    const long = lines.filter(
      (line) => line.length > 100 && line.trim().includes(' ') && prose.test(line) && !line.endsWith('\\'),
    );
    expect(long).toEqual([]);
  });

  it('can be sent by SNS, whatever the rule, EC2 and the execution hold', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, text, (rule, snapshotId, words, name) => {
        const { subject, message, attributes } = writeAlert(
          failed({
            execution: { ...EXAMPLES.Aborted.execution, name, startTime: words },
            request: { ...request({ source: { snapshotId } }), rule },
            copy: givenUp({ name: 'CopyEndedInError', message: words }),
          }),
          INSTALL,
          words,
        );
        expect(subject).toMatch(/^[A-Z][\x20-\x7e]{0,98}$/);
        expect(message).toMatch(/^[\P{C}\n]+$/u);
        expect(Object.values(attributes)).not.toContain('');
      }),
    );
  });

  it("keeps EC2's own words as they are", () => {
    const words =
      'You are not authorized to perform this operation. User: arn:aws:sts::1:x is not authorized to perform: ec2:CreateTags';
    expect(
      sectionOf(
        writeAlert(failed({ error: ec2Error('UnauthorizedOperation', words, 403) }), INSTALL),
        "EC2'S OWN WORDS",
      ),
    ).toBe(`EC2'S OWN WORDS\n  UnauthorizedOperation: ${words}`);
  });

  it('cuts what is no message but a page', () => {
    const alert = writeAlert(failed({ error: { Error: 'Odd', Cause: 'page '.repeat(1000) } }), INSTALL);
    expect(sectionOf(alert, 'WHAT HAPPENED')).toHaveLength('WHAT HAPPENED\n  '.length + 2000 + ' ...'.length);
  });

  it('tells the facts of the copy', () => {
    expect(sectionOf(writeAlert(EXAMPLES.DeadlinePassed, INSTALL, '2026-03-04T04:13:09.000Z'), 'THE COPY')).toBe(
      [
        'THE COPY',
        '  Source       snap-0a1b2c3d4e5f60718 in eu-west-1, 100 GiB, encrypted',
        '  Source key   arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666',
        '  Volume       vol-0123456789abcdef0',
        '  Data taken   2026-03-02T04:09:51.204Z',
        '  Owner        111122223333',
        '  Rule         nightly-to-frankfurt',
        '  Destination  eu-central-1',
        '  Copy         snap-0f9e8d7c6b5a40312, last seen at 63 %',
        '  Started      2026-03-02T04:13:01.020Z',
        '  Deadline     2026-03-04T04:13:01.020Z',
        '  Ended        2026-03-04T04:13:09.000Z after 48 h 0 min',
        '  Install      ebs-snapshot-copier-prod in account 444455556666, eu-west-1',
        '  Reason       DeadlinePassed',
      ].join('\n'),
    );
  });

  it('tells of a plain source, a dry run and a copy that only its removal knew', () => {
    const { kmsKeyId: _, ...source } = { ...REQUEST.source, encrypted: false, volumeId: '' };
    const alert = writeAlert(
      failed({
        request: { ...REQUEST, dryRun: true, source },
        error: ec2Error('Blocked', 'x'),
        removal: { outcome: 'removed', copyId: 'snap-0d0d0d0d', detail: 'Copy snap-0d0d0d0d was deleted.' },
      }),
      INSTALL,
    );
    const facts = sectionOf(alert, 'THE COPY');
    expect(facts).toContain('GiB, plain\n  Volume       unknown\n');
    expect(facts).toContain('Rule         nightly-to-frankfurt (dry run)\n');
    expect(facts).toContain('Copy         snap-0d0d0d0d\n');
    expect(facts).toContain('Reason       NotAllowed (Blocked)');
  });
});

describe('the subject of an alert', () => {
  it('says what, where and why', () => {
    expect(writeAlert(EXAMPLES.KeyNotAccessible, INSTALL).subject).toBe(
      'EBS copy failed: snap-0a1b2c3d4e5f60718 to eu-central-1: key not accessible',
    );
  });

  it('leaves out the Outpost before it grows too long', () => {
    const outpost = 'arn:aws:outposts:us-gov-west-1:444455556666:outpost/op-0123456789abcdef0';
    const gov = request({ destination: { region: 'us-gov-west-1', outpost } });
    expect(writeAlert(failed({ ...EXAMPLES.Aborted, request: gov }), INSTALL).subject).toBe(
      'EBS copy failed: snap-0a1b2c3d4e5f60718 to us-gov-west-1-op-0123456789abcdef0: stopped by hand',
    );
    expect(writeAlert(failed({ ...EXAMPLES.AlertNotSent, request: gov }), INSTALL).subject).toBe(
      'EBS copy failed: snap-0a1b2c3d4e5f60718 to us-gov-west-1-op-0123456789abcdef0: first alert not sent',
    );
    const kept = { outcome: 'keptComplete', copyId: 'snap-0c', detail: 'x' } as const;
    expect(writeAlert(failed({ ...EXAMPLES.NotAllowed, request: gov, removal: kept }), INSTALL).subject).toBe(
      'EBS copy made but not tagged: snap-0a1b2c3d4e5f60718 to us-gov-west-1: not allowed',
    );
  });

  it('is cut at 99 characters, with dots', () => {
    const long = request({ source: { snapshotId: 'snap-'.repeat(30) } });
    const { subject } = writeAlert(failed({ ...EXAMPLES.Aborted, request: long }), INSTALL);
    expect(subject).toHaveLength(99);
    expect(subject).toMatch(/^EBS copy failed: snap-.*\.\.\.$/);
  });
});

describe('what is left of the copy', () => {
  const left = (execution: FailedExecution) =>
    plain(sectionOf(writeAlert(execution, INSTALL), 'WHAT IS LEFT OF THE COPY'));
  const error = ec2Error('Unavailable', 'x', 503, { call: 'CreateTags' });

  it('is what its removal reports', () => {
    expect(left(EXAMPLES.KeyNotAccessible)).toMatch(/ended in state error and was deleted\.$/);
  });

  it('is found by its tag if nothing was removed', () => {
    expect(left(EXAMPLES.TimedOut)).toContain(
      'aws ec2 describe-snapshots --region eu-central-1 --owner-ids self \\ --filters Name=tag:snapshot-copier:source-snapshot,Values=snap-0a1b2c3d4e5f60718',
    );
  });

  it('comes with the command that removes it, if the service could not', () => {
    const detail = 'It could not be removed: Odd: https://x/?X-Amz-Signature=1';
    const removal = { outcome: 'couldNotRemove', copyId: 'snap-0d0d0d0d', detail } as const;
    expect(left(failed({ error, removal }))).toMatch(
      /could not be removed: Odd: \(URL left out\) To remove it: aws ec2 delete-snapshot --region eu-central-1 --snapshot-id snap-0d0d0d0d$/,
    );
    expect(left(failed({ error, removal: { outcome: 'couldNotRemove', detail } }))).toContain(
      'To see whether there is a copy: aws ec2 describe-snapshots',
    );
  });

  it('is a good copy if only the tagging failed: the alert does not say that the copy failed', () => {
    const removal = {
      outcome: 'keptComplete',
      copyId: 'snap-0c',
      detail: 'Copy snap-0c is complete and was kept.',
    } as const;
    const alert = writeAlert(failed({ error: ec2Error('InvalidParameterValue', 'x'), removal }), INSTALL);
    expect(alert.subject).toMatch(/^EBS copy made but not tagged: /);
    expect(plain(alert.message)).toMatch(
      /^Snapshot \S+ of eu-west-1 is copied to eu-central-1, but the copy is not tagged/,
    );
    expect(sectionOf(alert, 'START IT AGAIN')).toContain('It finds the complete copy and tags it.');
    expect(alert.message).not.toContain('copy-request.json');
  });

  it('may be more than is known, if the execution could not report', () => {
    expect(plain(writeAlert(EXAMPLES.Aborted, INSTALL).message)).toContain(
      'was not copied to eu-central-1, as far as is known:',
    );
  });
});

describe('what to do', () => {
  const own = { source: { ownerId: '444455556666' } };

  it('about a source that is gone depends on whose it is', () => {
    const { SourceGone } = EXAMPLES;
    expect(todoOf(SourceGone)).toContain(
      'modify-snapshot-attribute --region eu-west-1 --snapshot-id snap-0a1b2c3d4e5f60718',
    );
    expect(todoOf(SourceGone)).toContain('--operation-type add --user-ids 444455556666');
    const ours = failed({ ...SourceGone, request: request(own) });
    expect(todoOf(ours)).toContain('aws ec2 list-snapshots-in-recycle-bin --region eu-west-1');
    expect(meaningOf(ours)).not.toContain('share');
  });

  it('about a slow copy is to double its deadline, with the lines of the rules file', () => {
    expect(meaningOf(EXAMPLES.DeadlinePassed)).toContain('began at 2026-03-02T04:13:02.511Z and was at 63 %');
    expect(todoOf(EXAMPLES.DeadlinePassed)).toContain(
      '- name: nightly-to-frankfurt destinations: - region: eu-central-1 deadline: 4d',
    );
    const { copyStartTime: _, ...copy } = givenUp({ name: 'DeadlinePassed', message: 'late' }, 5);
    const slow = failed({ request: request({ destination: { deadlineSeconds: 10 * 86_400 } }), copy });
    expect(todoOf(slow)).toContain('deadline: 14d');
    expect(meaningOf(slow)).toContain('began at an unknown time and was at 5 %');
    expect(meaningOf(slow)).toContain('The deadline, 10d, counts');
  });

  it('about a slow copy names the Local Zone or Outpost, for a Region may be in the rule more than once', () => {
    const at = (place: { localZone?: string; outpost?: string }) =>
      todoOf(failed({ ...EXAMPLES.DeadlinePassed, request: request({ destination: place }) }));
    expect(at({ localZone: 'eu-central-1-ham-1a' })).toContain('eu-central-1 localZone: eu-central-1-ham-1a deadline:');
    expect(at({ outpost: 'arn:x/op-1' })).toContain('eu-central-1 outpost: arn:x/op-1 deadline:');
  });

  it('about a copy that never began is not about slots, for which nothing waits in an execution', () => {
    const late = failed({ error: thrown('DeadlinePassedError', 'It could not begin before its deadline.') });
    expect(meaningOf(late)).toContain('The copy never began. The deadline, 2d, counts from the start of the execution');
    expect(meaningOf(late)).toContain('EC2 could not be reached, or answered with errors');
    expect(todoOf(late)).toContain('health.aws.amazon.com');
    expect(todoOf(late)).toContain('raise the deadline');
  });

  it('about a refusal by IAM names action, role, both Regions and how to decode it', () => {
    expect(meaningOf(EXAMPLES.NotAllowed)).toContain(
      'IAM does not allow ec2:CopySnapshot in eu-central-1 to the role arn:aws:iam::444455556666:role/snapshot-copier/ebs-snapshot-copier-prod/ebs-snapshot-copier-prod-StartCopyRole.',
    );
    expect(todoOf(EXAMPLES.NotAllowed)).toContain('aws sts decode-authorization-message');
    expect(todoOf(EXAMPLES.NotAllowed)).toContain('has to allow eu-west-1 and eu-central-1');

    const words = 'User x is not authorized to perform: ec2:CreateTags on resource: y';
    const tagging = failed({ error: ec2Error('UnauthorizedOperation', words, 403) });
    expect(meaningOf(tagging)).toContain('IAM does not allow ec2:CreateTags in');

    const deleting = ec2Error('AccessDenied', 'no', 403, { call: 'DeleteSnapshot', snapshotId: 'snap-0c' });
    expect(meaningOf(failed({ error: deleting }))).toContain(
      'IAM does not allow ec2:DeleteSnapshot in eu-central-1 to the role of the function that calls DeleteSnapshot.',
    );
    const near = failed({
      error: ec2Error('UnauthorizedOperation', 'x'),
      request: request({ source: { region: 'eu-central-1' } }),
    });
    expect(todoOf(near)).toContain('has to allow eu-central-1: CopySnapshot');
  });

  it('about a Region that is not enabled is to enable it; about anything else that is forbidden, what its code says', () => {
    expect(todoOf(failed({ error: ec2Error('OptInRequired', 'x') }))).toContain(
      'aws account enable-region --region eu-west-1 --region-name eu-central-1',
    );
    expect(todoOf(failed({ error: ec2Error('Blocked', 'x') }))).toBe(
      'WHAT TO DO 1. AWS has blocked this account: ask AWS Support.',
    );
  });

  it('about a quota depends on which', () => {
    expect(todoOf(EXAMPLES.QuotaReached)).toContain(
      'get-service-quota --region eu-central-1 --service-code ebs --quota-code L-309BACF6',
    );
    expect(todoOf(failed({ error: ec2Error('TagLimitExceeded', 'x') }))).toContain('copy fewer');
  });

  it('about a wrong request is to compare it with its destination in the rules file', () => {
    const where = 'destination eu-central-1 of rule nightly-to-frankfurt in copy-rules.yml';
    expect(todoOf(EXAMPLES.RequestRefused)).toContain(where);
    expect(todoOf(failed({ error: thrown('RequestRefusedError', 'No EC2 in it.') }))).toMatch(
      /^WHAT TO DO 1\. Compare the words above/,
    );
  });

  it('about a copy that disappeared is to find out who deleted it', () => {
    expect(todoOf(EXAMPLES.CopyDisappeared)).toContain(
      'AttributeKey=ResourceName,AttributeValue=snap-0f9e8d7c6b5a40312',
    );
    const unknown = ec2Error('InvalidSnapshot.NotFound', 'x', 400, { call: 'CreateTags', snapshotId: 'snap-0c' });
    expect(meaningOf(failed({ error: unknown }))).toContain('deleted the copy in eu-central-1');
    expect(todoOf(failed({ error: unknown }))).not.toContain('aws ');
  });

  it('about a copy that EC2 gave up is to tell AWS Support its id', () => {
    expect(todoOf(EXAMPLES.CopyFailed)).toContain('ask AWS Support about snap-0f9e8d7c6b5a40312 in eu-central-1');
    const { copyId: _, ...copy } = givenUp({ name: 'CopyEndedInError', message: 'x' });
    expect(todoOf(failed({ copy }))).toContain('ask AWS Support about the copy in eu-central-1');
  });

  it('about trouble of EC2 is to wait for its end, about throttling to find who else calls', () => {
    expect(todoOf(EXAMPLES.Ec2Trouble)).toContain('health.aws.amazon.com');
    expect(todoOf(failed({ error: ec2Error('RequestLimitExceeded', 'x', 503) }))).toContain(
      'what else calls EC2 so often in eu-central-1',
    );
    expect(meaningOf(failed({ error: thrown('ServiceTroubleError', 'x') }))).toContain('errors to the calls');
  });

  it('about the ledger is to look at its table first', () => {
    const look = `aws dynamodb describe-table --region eu-west-1 --table-name ${LEDGER}`;
    expect(todoOf(EXAMPLES.LedgerTrouble)).toContain(look);
    expect(meaningOf(EXAMPLES.LedgerTrouble)).toContain('DynamoDB could not be used.');
    const unnamed = thrown('ServiceTroubleError', 'StartExecution of a: Step Functions says InternalError: x');
    expect(meaningOf(failed({ error: unnamed }))).toContain('Step Functions could not be used.');
    expect(todoOf(failed({ error: unnamed }))).not.toContain('describe-table');
  });

  it.each([
    ['ThrottlingException', 400, 'find out what else uses it so often'],
    ['ProvisionedThroughputExceededException', 400, 'find out what else uses it so often'],
    ['AccessDeniedException', 400, 'ebs-snapshot-copier-prod may use it. If a role was changed, deploy again'],
    ['ResourceNotFoundException', 400, `aws dynamodb list-backups --region eu-west-1 --table-name ${LEDGER}`],
    ['ValidationException', 400, 'compare it with LedgerTable in serverless.yml'],
    ['ItemCollectionSizeLimitExceededException', 400, '--param="keepRequestsDays=90"'],
    ['InternalServerError', 500, 'health.aws.amazon.com'],
    ['TimeoutError', 'no answer', 'health.aws.amazon.com'],
  ] as const)('about the ledger after %s says what helps', (code, status, step) => {
    const todo = todoOf(failed({ error: ledgerAnswer(code, 'x', status) }));
    expect(todo).toContain(step);
    expect(todo).toMatch(/Start it again when that is over: it then waits for its turn\.$/);
  });

  it('about an item of the ledger is what the error says of it', () => {
    const error = thrown('LedgerBusyError', 'Others wrote 10 times.');
    expect(todoOf(failed({ error }))).toContain('The words above say which item');
    expect(meaningOf(failed({ error }))).toContain('The ledger could not be used.');
  });

  it('about a Region without a free slot is nothing: what has to be mended is why the request could not wait for one', () => {
    const refused = ec2Error('ResourceLimitExceeded', 'Too many snapshot copies in progress.');
    const noSlot =
      'EC2 had no free copy slot in eu-central-1, which is no failure, and the request was to wait for one. It could not be put back into the queue.';
    const meaning = `WHAT IT MEANS ${noSlot} `;
    expect(meaningOf(failed({ ...EXAMPLES.LedgerTrouble, refused }))).toMatch(new RegExp(`^${meaning}To start copies`));
    expect(meaningOf(failed({ ...EXAMPLES.LambdaTrouble, refused }))).toMatch(new RegExp(`^${meaning}Lambda did not`));
    expect(meaningOf(failed({ error: refused }))).toBe(meaning.trimEnd());
    expect(todoOf(failed({ error: refused }))).toMatch(
      /^WHAT TO DO 1\. Start it again when that is over: it then waits/,
    );
    expect(meaningOf(EXAMPLES.LedgerTrouble)).not.toContain('slot');
  });
});

describe('how to start it again', () => {
  const again = (execution: FailedExecution) => plain(sectionOf(writeAlert(execution, INSTALL), 'START IT AGAIN'));

  it('is one short command of this product, with the settings that the rule has by then', () => {
    expect(again(EXAMPLES.CopyFailed)).toContain(
      'with the settings that rule nightly-to-frankfurt has by then: npx snapshot-copier retry snap-0a1b2c3d4e5f60718-eu-central-1-1 \\ --region eu-west-1 --stack ebs-snapshot-copier-prod',
    );
  });

  it('is the same command for a copy that no rule asked for, which keeps its settings', () => {
    const byHand = failed({ ...EXAMPLES.CopyFailed, request: { ...REQUEST, rule: 'by hand' } });
    expect(again(byHand)).toContain('In a checkout of this product: npx snapshot-copier retry snap-');
  });

  it('is to put the input of the execution into the queue, for who has the AWS command line alone', () => {
    expect(again(EXAMPLES.CopyFailed)).toContain(
      'aws stepfunctions describe-execution --region eu-west-1 \\ --execution-arn arn:aws:states:eu-west-1:444455556666:execution:ebs-snapshot-copier-prod:snap-0a1b2c3d4e5f60718-eu-central-1-1 \\ --query input --output text | aws lambda invoke --region eu-west-1 \\ --function-name ebs-snapshot-copier-prod-requestCopy \\ --payload fileb:///dev/stdin /dev/stdout',
    );
    expect(again(EXAMPLES.CopyFailed)).toContain('it waits for its turn now (accepted), or somebody was faster');
  });

  it('may be to change it first, where that helps', () => {
    expect(again(EXAMPLES.RequestRefused)).toContain('--payload fileb://copy-request.json /dev/stdout');
    expect(again(EXAMPLES.CopyFailed)).not.toContain('copy-request.json');
  });

  it('is to start another execution after a dry run, of which no queue knows', () => {
    const rehearsal = failed({
      ...EXAMPLES.RequestRefused,
      request: { ...REQUEST, dryRun: true },
      execution: { ...EXAMPLES.RequestRefused.execution, name: 'snap-0a1b2c3d4e5f60718-eu-central-1-0' },
    });
    expect(again(rehearsal)).toContain('--name snap-0a1b2c3d4e5f60718-eu-central-1-0-2');
    expect(again(rehearsal)).toContain('If the answer is ExecutionAlreadyExists, somebody was faster.');
    expect(again(rehearsal)).not.toMatch(/requestCopy|accepted|copy-request\.json|retry/);
  });
});

describe('the links of an alert', () => {
  it.each([
    ['eu-west-1', 'https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:'],
    ['cn-north-1', 'https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/executions/details/arn:'],
    [
      'us-gov-west-1',
      'https://us-gov-west-1.console.amazonaws-us-gov.com/states/home?region=us-gov-west-1#/v2/executions/details/arn:',
    ],
  ])('lead to the console of %s', (region, link) => {
    expect(writeAlert(EXAMPLES.TimedOut, { ...INSTALL, region }).message).toContain(link);
  });

  it('lead to the copy, if there was one', () => {
    const link = '#SnapshotDetails:snapshotId=snap-0f9e8d7c6b5a40312';
    expect(sectionOf(writeAlert(EXAMPLES.CopyFailed, INSTALL), 'LINKS')).toContain(
      `https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1${link}`,
    );
    expect(sectionOf(writeAlert(EXAMPLES.TimedOut, INSTALL), 'LINKS')).not.toContain('  Copy ');
  });
});

describe('the alert for a snapshot that EC2 does not show', () => {
  const unseen = {
    snapshotId: 'snap-0a1b2c3d4e5f60718',
    region: 'eu-west-1',
    eventTime: '2026-03-02T04:12:40Z',
    kind: 'shared',
    owner: '111122223333',
    functionName: 'ebs-snapshot-copier-prod-onSnapshotEvent',
  } as const;

  it('says which, and has a dash for the rule and Region that nobody can know', () => {
    const { subject, attributes } = writeSourceNotVisibleAlert(unseen, INSTALL);
    expect(subject).toBe('EBS snapshot not copied: snap-0a1b2c3d4e5f60718 in eu-west-1: not visible');
    expect(attributes).toEqual({
      rule: '-',
      sourceSnapshot: 'snap-0a1b2c3d4e5f60718',
      destinationRegion: '-',
      reason: 'SourceNotVisible',
    });
  });

  it.each([
    [unseen, '111122223333', 'share', 'has to share it with account 444455556666'],
    [
      { ...unseen, kind: 'created', owner: '444455556666' },
      '444455556666',
      'recycle bin',
      'list-snapshots-in-recycle-bin',
    ],
  ] as const)('fits the event: $kind', (news, owner, meaning, todo) => {
    const alert = writeSourceNotVisibleAlert(news, INSTALL);
    expect(sectionOf(alert, 'THE SNAPSHOT')).toContain(`Owner        ${owner}`);
    expect(sectionOf(alert, 'WHAT IT MEANS')).toContain(meaning);
    expect(plain(sectionOf(alert, 'WHAT TO DO'))).toContain(todo);
  });

  it('knows the owner of a created snapshot, but not of a shared one, where the event tells none', () => {
    const { owner: _, ...bare } = unseen;
    expect(writeSourceNotVisibleAlert(bare, INSTALL).message).not.toContain('  Owner ');
    expect(writeSourceNotVisibleAlert({ ...bare, kind: 'created' }, INSTALL).message).toContain(
      'Owner        444455556666',
    );
  });

  it.each([unseen, { ...unseen, kind: 'created' } as const])('gives the event again: $kind', (news) => {
    const { message } = writeSourceNotVisibleAlert(news, INSTALL);
    const event: unknown = JSON.parse(/printf %s '(.*)' > event\.json/.exec(message)?.[1] ?? '');
    expect(readSnapshotEvent(event)).toEqual({
      kind: 'snapshots',
      trigger: news.kind,
      snapshotIds: ['snap-0a1b2c3d4e5f60718'],
      region: 'eu-west-1',
      eventTime: '2026-03-02T04:12:40Z',
      // Of whom it is told by another field.
      ...(news.kind === 'shared' ? { sharedBy: '111122223333' } : { account: '111122223333' }),
    });
  });

  it('gives an event again for which the sharer is not known', () => {
    const { owner: _, ...ownerless } = unseen;
    expect(writeSourceNotVisibleAlert(ownerless, INSTALL).message).toContain('/snap-0a1b2c3d4e5f60718"}}\'');
  });
});
