import type * as z from 'zod';
import type { ruleProperties } from '../stack/resource-schemas.ts';
import { busOfRule, placeOf } from './bus-arn.ts';
import { compileInputTransformer } from './input-transformer.ts';
import { compilePattern } from './pattern.ts';
import type { Rule, Target } from './rule.ts';

type RuleProperties = z.output<typeof ruleProperties>;
type TargetProperties = RuleProperties['Targets'][number];

/** EventBridge's defaults: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
const DEFAULT_RETRY = { maximumRetryAttempts: 185, maximumEventAgeSeconds: 86_400 };

/**
 * The rule that an `AWS::Events::Rule` of a template describes.
 * @throws Error for a pattern or target that EventBridge, or the sandbox, does not take
 */
export function ruleOfResource({ EventPattern, State, Description, Targets }: RuleProperties, arn: string): Rule {
  return {
    arn,
    enabled: State === 'ENABLED',
    shown: { description: Description, pattern: EventPattern, targets: Targets },
    matches: compilePattern(EventPattern),
    targets: Targets.map((target) => targetOfResource(target, arn)),
  };
}

function targetOfResource(target: TargetProperties, ruleArn: string): Target {
  checkRole(target);
  checkPlace(target, ruleArn);
  const { Arn, RoleArn, RetryPolicy, DeadLetterConfig, InputTransformer } = target;
  return {
    arn: Arn,
    ...(RoleArn === undefined ? {} : { roleArn: RoleArn }),
    maximumRetryAttempts: RetryPolicy?.MaximumRetryAttempts ?? DEFAULT_RETRY.maximumRetryAttempts,
    maximumEventAgeSeconds: RetryPolicy?.MaximumEventAgeInSeconds ?? DEFAULT_RETRY.maximumEventAgeSeconds,
    ...(DeadLetterConfig === undefined ? {} : { deadLetterQueueArn: DeadLetterConfig.Arn }),
    ...(InputTransformer === undefined
      ? {}
      : { transform: compileInputTransformer(InputTransformer.InputPathsMap, InputTransformer.InputTemplate) }),
  };
}

/**
 * State machines and buses let nobody in who comes without a role; for buses of other accounts that is so since
 * 2 March 2023.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-iam-roles.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
function checkRole({ Arn, RoleArn }: TargetProperties): void {
  const needsRole = /^arn:aws:(states|events):/.test(Arn);
  if (needsRole && RoleArn === undefined) throw new Error(`RoleArn is required for target ${Arn}.`);
  if (!needsRole && RoleArn !== undefined) {
    throw new Error(`RoleArn of target ${Arn}: the sandbox knows roles for state machines and event buses only`);
  }
}

/**
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
function checkPlace({ Arn, InputTransformer }: TargetProperties, ruleArn: string): void {
  const here = placeOf(ruleArn);
  const there = placeOf(Arn);
  const [, , service, , , resource = ''] = Arn.split(':');
  if (service !== 'events') {
    if (there.region === here.region && there.account === here.account) return;
    throw new Error(
      `target ${Arn} is not in account ${here.account}, ${here.region}: rules reach other accounts and Regions by their buses only`,
    );
  }
  if (!resource.startsWith('event-bus/')) throw new Error(`target ${Arn} is no event bus`);
  if (Arn === busOfRule(ruleArn)) throw new Error(`target ${Arn} is the bus that the rule is on`);
  if (InputTransformer !== undefined) throw new Error(`target ${Arn}: an event goes on to a bus as it is`);
}
