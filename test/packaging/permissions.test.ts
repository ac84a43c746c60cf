import { beforeAll, describe, expect, it } from 'vitest';
import { type PackagedService, packagedService } from '../support/packaged.ts';
import { policyProblems, statementsIn } from '../support/packaged-policies.ts';
import { planted } from '../support/planted.ts';

let service: PackagedService;
beforeAll(async () => {
  service = await packagedService();
}, 120_000);

describe('the policies in the packaged template', () => {
  it('allow actions that exist, on resources that these actions know, and `*` only where they know none', async () => {
    expect(statementsIn(service.template).length).toBeGreaterThan(20);
    expect(await policyProblems(service.template)).toEqual([]);
  });

  const queueStatement = 'Resources.StuckEventsQueuePolicy.Properties.PolicyDocument.Statement.0';
  const machineStatement = 'Resources.CopySnapshotMachineRole.Properties.Policies.0.PolicyDocument.Statement.0';
  it.each([
    ['a misspelt action', `${queueStatement}.Action`, 'sqs:SendMessages', /sqs:SendMessages is no action/],
    ['all actions of a service', `${machineStatement}.Action`, ['lambda:*'], /lambda:\* is no action/],
    ['everything, where an action knows resources', `${machineStatement}.Resource`, '*', /InvokeFunction is for \*/],
    [
      'a resource of another kind',
      `${machineStatement}.Resource.0`,
      { 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] },
      /InvokeFunction is for arn:aws:sqs/,
    ],
  ])('would be found with %s', async (_, path, value, problem) => {
    expect(await policyProblems(planted(service.template, path, value))).toContainEqual(expect.stringMatching(problem));
  });

  it('give no principal outside this account anything but AWS services', () => {
    const principals = statementsIn(service.template).flatMap(({ of, Effect, Principal }) =>
      Effect === 'Allow' && Principal !== undefined ? [[of, Principal]] : [],
    );
    expect(principals).toEqual([
      ['DeadLetterTopicPolicy', { Service: 'cloudwatch.amazonaws.com' }],
      ['StuckEventsQueuePolicy', { Service: 'events.amazonaws.com' }],
    ]);
  });
});
