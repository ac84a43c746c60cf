import type * as z from 'zod';
import type { ruleProperties } from '../stack/resource-schemas.ts';
import type { Rule, Target } from './event-bus.ts';
import { compileInputTransformer } from './input-transformer.ts';
import { compilePattern } from './pattern.ts';

type RuleProperties = z.output<typeof ruleProperties>;
type TargetProperties = RuleProperties['Targets'][number];

/** EventBridge's defaults: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
const DEFAULT_RETRY = { maximumRetryAttempts: 185, maximumEventAgeSeconds: 86_400 };

/**
 * The rule that an `AWS::Events::Rule` of a template describes.
 * @throws Error for a pattern or target that EventBridge, or the sandbox, does not take
 */
export function ruleOfResource({ EventPattern, State, Description, Targets }: RuleProperties, arn: string): Rule {
  const [, , , region = ''] = arn.split(':');
  return {
    arn,
    region,
    enabled: State === 'ENABLED',
    shown: { description: Description, pattern: EventPattern, targets: Targets },
    matches: compilePattern(EventPattern),
    targets: Targets.map((target) => targetOfResource(target, arn)),
  };
}

function targetOfResource(target: TargetProperties, ruleArn: string): Target {
  checkRole(target);
  checkPlace(target, ruleArn);
  const { Arn, RetryPolicy, DeadLetterConfig, InputTransformer } = target;
  return {
    arn: Arn,
    maximumRetryAttempts: RetryPolicy?.MaximumRetryAttempts ?? DEFAULT_RETRY.maximumRetryAttempts,
    maximumEventAgeSeconds: RetryPolicy?.MaximumEventAgeInSeconds ?? DEFAULT_RETRY.maximumEventAgeSeconds,
    ...(DeadLetterConfig === undefined ? {} : { deadLetterQueueArn: DeadLetterConfig.Arn }),
    ...(InputTransformer === undefined
      ? {}
      : { transform: compileInputTransformer(InputTransformer.InputPathsMap, InputTransformer.InputTemplate) }),
  };
}

/**
 * State machines, and buses of other Regions, let nobody in by a policy of their own: EventBridge needs a role.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-iam-roles.html
 */
function checkRole({ Arn, RoleArn }: TargetProperties): void {
  const needsRole = /^arn:aws:(states|events):/.test(Arn);
  if (needsRole && RoleArn === undefined) throw new Error(`RoleArn is required for target ${Arn}.`);
  if (!needsRole && RoleArn !== undefined) {
    throw new Error(`RoleArn of target ${Arn}: the sandbox knows roles for state machines and event buses only`);
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html */
function checkPlace({ Arn, InputTransformer }: TargetProperties, ruleArn: string): void {
  const [, , , ruleRegion, ruleAccount] = ruleArn.split(':');
  const [, , service, region, account, resource] = Arn.split(':');
  if (service !== 'events') {
    if (region === ruleRegion) return;
    throw new Error(
      `target ${Arn} is not in ${ruleRegion}: rules of EventBridge reach other Regions by their buses only`,
    );
  }
  if (region === ruleRegion || account !== ruleAccount || resource !== 'event-bus/default') {
    throw new Error(
      `target ${Arn}: the sandbox knows the default buses of the other Regions of account ${ruleAccount}`,
    );
  }
  if (InputTransformer !== undefined) throw new Error(`target ${Arn}: an event goes on to a bus as it is`);
}
