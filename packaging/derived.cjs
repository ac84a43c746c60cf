'use strict';

/**
 * What serverless.yml takes from the rules file, as `${self:custom.derived.…}`. osls loads CommonJS only; Node runs the
 * TypeScript behind it as it is.
 */
module.exports = async ({ resolveVariable }) => {
  const { readRulesFileText } = require('./rules-file.ts');
  const { rulesMetadata } = require('./rules-of-template.ts');
  const { snapshotEventPatterns } = require('./derive-events.ts');
  const { roles } = require('./derive-roles.ts');
  const { sourceBus, sourceBusOutputs, sourceExternalId } = require('./derive-source-bus.ts');
  const { endsOfExecutions, releaseSchedule } = require('./derive-release.ts');
  const { observability } = require('./observability.ts');

  const rulesText = readRulesFileText(await resolveVariable('self:custom.rulesFile'));
  const { rules, sourceAccounts } = rulesText;
  const install = await resolveVariable('self:custom.install');
  return {
    /** The text of the rules, for whoever asks CloudFormation what is deployed. */
    metadata: rulesMetadata(rulesText),
    /** Events of the function onSnapshotEvent. What cannot be delivered within a day goes to the stuck-events queue. */
    snapshotEvents: snapshotEventPatterns(rules).map((pattern) => ({
      eventBridge: {
        pattern,
        retryPolicy: { maximumEventAge: 86400, maximumRetryAttempts: 185 },
        deadLetterQueueArn: { 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] },
      },
    })),
    /** Events of the function releaseSource. */
    endsOfExecutions: endsOfExecutions(sourceAccounts),
    /** A role per function, state machine, rule and schedule. */
    roles: roles(rules, install, sourceAccounts),
    /** The bus for events of source accounts, and what is said in its outputs. */
    sourceBus: { ...sourceBus(sourceAccounts, install), ...releaseSchedule(sourceAccounts) },
    sourceBusOutputs: sourceBusOutputs(sourceAccounts),
    /** What the functions say when they act in source accounts. */
    sourceExternalId: sourceExternalId(sourceAccounts, install),
    /** Alarms and the dashboard. */
    observability: observability(install, await resolveVariable('self:provider.region'), rules, sourceAccounts),
  };
};
