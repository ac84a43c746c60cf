import { readFileSync } from 'node:fs';
import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, variable } from '../fixture-package.ts';

const STACK = 'fixture-dev';
const service = {
  template: {
    Description: 'A fixture & <more>',
    Metadata: { Rules: 'rules:\n  - name: "a" # <b> & c\n\ttab\n' },
    Parameters: {
      Days: { Type: 'Number', Default: 90 },
      Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
      Secret: { Type: 'String', Default: 'x', NoEcho: true },
      Wanted: { Type: 'String', Default: 'no' },
    },
    Conditions: { IsWanted: { 'Fn::Equals': [{ Ref: 'Wanted' }, 'yes'] } },
    Outputs: {
      TopicArn: {
        Value: { Ref: 'Alerts' },
        Description: 'Subscribe here',
        Export: { Name: { Ref: 'AWS::StackName' } },
      },
      Text: { Value: { 'Fn::Sub': `${variable('AWS::Region')}/${variable('Days')}` } },
      Optional: { Condition: 'IsWanted', Value: 'y' },
    },
  },
  resources: {
    Alerts: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
    AlertsPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: { Topics: [{ Ref: 'Alerts' }], PolicyDocument: { Statement: [] } },
    },
    Bus: { Type: 'AWS::Events::EventBus', Condition: 'IsWanted', Properties: { Name: 'bus' } },
  },
};

function cloudFormation({ endpoint }: Sandbox, { account = '000000000000', region = 'eu-west-1' } = {}) {
  const credentials = { accessKeyId: account, secretAccessKey: 'none' };
  return new CloudFormationClient({ endpoint, region, maxAttempts: 1, credentials });
}

describe('CloudFormation', () => {
  it('shows the stack with its parameters, outputs and tags, by name, by id and in the list', async () => {
    const sandbox = await fixtureSandbox(service, { parameters: { Days: '100' } });
    const api = cloudFormation(sandbox);
    const { Stacks } = await api.send(new DescribeStacksCommand({ StackName: STACK }));
    expect(Stacks).toMatchObject([
      {
        StackName: STACK,
        StackStatus: 'CREATE_COMPLETE',
        Description: 'A fixture & <more>',
        CreationTime: new Date('2026-01-05T09:00:00Z'),
        Parameters: [
          { ParameterKey: 'Days', ParameterValue: '100' },
          { ParameterKey: 'Zones', ParameterValue: 'a,b' },
          { ParameterKey: 'Secret', ParameterValue: '****' },
          { ParameterKey: 'Wanted', ParameterValue: 'no' },
        ],
        Outputs: [
          {
            OutputKey: 'TopicArn',
            OutputValue: 'arn:aws:sns:eu-west-1:000000000000:alerts',
            Description: 'Subscribe here',
            ExportName: STACK,
          },
          { OutputKey: 'Text', OutputValue: 'eu-west-1/100' },
        ],
        Tags: [{ Key: 'STAGE', Value: 'dev' }],
      },
    ]);
    const id = Stacks?.[0]?.StackId;
    expect(id).toMatch(/^arn:aws:cloudformation:eu-west-1:000000000000:stack\/fixture-dev\/[0-9a-f-]{36}$/);
    expect((await api.send(new DescribeStacksCommand({ StackName: id }))).Stacks).toEqual(Stacks);
    expect(await api.send(new DescribeStacksCommand({}))).toMatchObject({ Stacks });
  });

  it('keeps the text of the template, with its metadata', async () => {
    const sandbox = await fixtureSandbox(service);
    const { TemplateBody = '' } = await cloudFormation(sandbox).send(new GetTemplateCommand({ StackName: STACK }));
    expect(JSON.parse(TemplateBody)).toEqual({
      AWSTemplateFormatVersion: '2010-09-09',
      ...service.template,
      Resources: service.resources,
    });
  });

  it('lists the resources that were made', async () => {
    const sandbox = await fixtureSandbox(service);
    const api = cloudFormation(sandbox);
    const { StackResourceSummaries } = await api.send(new ListStackResourcesCommand({ StackName: STACK }));
    const arn = 'arn:aws:sns:eu-west-1:000000000000:alerts';
    expect(
      StackResourceSummaries?.map((each) => [each.LogicalResourceId, each.ResourceType, each.PhysicalResourceId]),
    ).toEqual([
      ['Alerts', 'AWS::SNS::Topic', arn],
      ['AlertsPolicy', 'AWS::SNS::TopicPolicy', undefined],
    ]);
    const one = await api.send(
      new DescribeStackResourcesCommand({ PhysicalResourceId: arn, LogicalResourceId: 'Alerts' }),
    );
    expect(one.StackResources).toMatchObject([
      { StackName: STACK, LogicalResourceId: 'Alerts', PhysicalResourceId: arn },
    ]);
  });

  it('lists resources 100 at a time, and describes no more than the first 100', async () => {
    const roles = Array.from({ length: 101 }, (_, index) => [
      `Role${index}`,
      { Type: 'AWS::Logs::LogGroup', Properties: {} },
    ]);
    const sandbox = await fixtureSandbox({ resources: Object.fromEntries(roles) });
    const client = cloudFormation(sandbox);
    const pages: number[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: STACK })) {
      pages.push(page.StackResourceSummaries?.length ?? 0);
    }
    expect(pages).toEqual([100, 1]);
    const { StackResources } = await client.send(new DescribeStackResourcesCommand({ StackName: STACK }));
    expect(StackResources).toHaveLength(100);
  });

  it('says of a stack that is elsewhere, or nowhere, that it does not exist', async () => {
    const sandbox = await fixtureSandbox(service);
    const unknown = { name: 'ValidationError', message: 'Stack with id other does not exist' };
    const StackName = 'other';
    const here = cloudFormation(sandbox);
    for (const call of [
      here.send(new DescribeStacksCommand({ StackName })),
      here.send(new ListStackResourcesCommand({ StackName })),
      here.send(new DescribeStackResourcesCommand({ StackName })),
      here.send(new GetTemplateCommand({ StackName })),
    ]) {
      await expect(call).rejects.toMatchObject(unknown);
    }
    for (const where of [{ region: 'us-east-1' }, { account: '111122223333' }]) {
      const api = cloudFormation(sandbox, where);
      expect((await api.send(new DescribeStacksCommand({}))).Stacks ?? []).toEqual([]);
      await expect(api.send(new DescribeStacksCommand({ StackName: STACK }))).rejects.toThrow(
        `Stack with id ${STACK} does not exist`,
      );
    }
  });

  it('shows companions as stacks of their Region', async () => {
    const companion = {
      template: 'companions/destination-region.yml',
      region: 'eu-central-1',
      stackName: 'copies-eu-west-1',
      parameters: { HomeRegion: 'eu-west-1' },
    };
    const sandbox = await fixtureSandbox(service, {
      companions: [companion, { ...companion, region: 'us-east-1', stackName: 'b' }],
    });
    const api = cloudFormation(sandbox, { region: 'eu-central-1' });
    expect((await api.send(new DescribeStacksCommand({}))).Stacks).toMatchObject([
      {
        StackName: 'copies-eu-west-1',
        Parameters: [{ ParameterValue: 'eu-west-1' }, { ParameterValue: 'ebs-snapshot-copier' }],
      },
    ]);
    const { TemplateBody } = await api.send(new GetTemplateCommand({ StackName: 'copies-eu-west-1' }));
    expect(TemplateBody).toBe(readFileSync('companions/destination-region.yml', 'utf8'));
  });

  it('refuses by name what it does not have', async () => {
    const sandbox = await fixtureSandbox(service);
    await expect(cloudFormation(sandbox).send(new ListStacksCommand({}))).rejects.toThrow(
      'ListStacks is not in the sandbox',
    );
  });
});
