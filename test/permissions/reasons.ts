import { readFileSync } from 'node:fs';
import { isCollection, isNode, parseDocument } from 'yaml';
import { capitalised, permissionsOf, ROLE_OWNERS } from '../../packaging/derive-permissions.ts';
import { readRulesFileText } from '../../packaging/rules-file.ts';
import { INSTALL } from '../stories/accounts/world.ts';
import { RULES } from './deployed.ts';
import type { Deployed } from './scene.ts';
import type { DeployedStatement } from './statements.ts';

/** Of the policies of the service's own resources, by logical id. */
const OF_RESOURCES: Readonly<Record<string, string>> = {
  DeadLetterTopicPolicy: 'Alarms tell the topic',
  StuckEventsQueuePolicy: 'EventBridge keeps what it cannot deliver',
  SourceAccountsBusPolicy: 'Source accounts send their events',
};

/** Says why a statement is there: as it is derived, or as the comment above it says. */
export function readReasons({ sourceAccount, destinationRegion }: Deployed): (statement: DeployedStatement) => string {
  const { rules, sourceAccounts } = readRulesFileText(RULES);
  const derived = new Map<string, string>(
    ROLE_OWNERS.flatMap((owner) =>
      permissionsOf(owner, rules, INSTALL, sourceAccounts).map(
        ({ sid, reason }) => [`${capitalised(owner)}Role/${sid}`, reason] as const,
      ),
    ),
  );
  const companions = {
    'source-account': parseDocument(readFileSync(sourceAccount, 'utf8')),
    'destination-region': parseDocument(readFileSync(destinationRegion, 'utf8')),
  };
  return (statement) => {
    const { name, template, of, logicalId, path } = statement;
    if (template !== 'service') return commentOn(companions[template], path);
    if (of === 'trust') return 'What it is the role of can take it';
    if (of === 'resource') return OF_RESOURCES[logicalId] ?? 'EventBridge calls the function, for one rule';
    return derived.get(name) ?? '';
  };
}

/** The first sentences of the comment above something, as far as they are no address. */
function commentOn(document: ReturnType<typeof parseDocument>, path: DeployedStatement['path']): string {
  // `!If [condition, a, b]` is written without the step that its long form has.
  const written = path.filter((step) => step !== 'Fn::If');
  const node = document.getIn(written, true);
  const list = document.getIn(written.slice(0, -1), true);
  // What is above the first of a list is above the list.
  const above = written.at(-1) === 0 && isCollection(list) ? list.commentBefore : isNode(node) && node.commentBefore;
  const text = (above || '').replaceAll(/\s+/g, ' ').trim();
  return text.replaceAll(/[:,.]? https:\S+/g, '.').replace(/\.$/, '');
}
