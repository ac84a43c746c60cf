'use strict';

// What serverless.yml takes from the rules file, for `${file(packaging/derived.cjs):name}`. osls loads CommonJS only;
// Node runs the TypeScript behind it as it is.

/** @param {(rules: readonly import('../core/rules.ts').CopyRule[], install: string) => unknown} derive */
function fromRules(derive) {
  return async ({ resolveVariable }) => {
    const { readRulesFile } = require('./rules-file.ts');
    const rules = readRulesFile(await resolveVariable('self:custom.rulesFile'));
    return derive(rules, await resolveVariable('self:custom.install'));
  };
}

/** Events of the function onSnapshotEvent. */
module.exports.snapshotEvents = fromRules((rules) => {
  const { snapshotEventPatterns } = require('./derive-events.ts');
  return snapshotEventPatterns(rules).map((pattern) => ({
    eventBridge: {
      pattern,
      // What EventBridge cannot deliver within a day is kept: docs/userguide/eb-rule-retry-policy.html has these limits.
      retryPolicy: { maximumEventAge: 86400, maximumRetryAttempts: 185 },
      deadLetterQueueArn: { 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] },
    },
  }));
});

/** One role per function and one for the state machine. */
module.exports.roles = fromRules((rules, install) => require('./derive-roles.ts').roles(rules, install));

/** Alarms and the dashboard. */
module.exports.observability = fromRules((rules, install) => {
  const { destinations } = require('./derive-destinations.ts');
  const { observability } = require('./observability.ts');
  return observability(install, destinations(rules));
});
