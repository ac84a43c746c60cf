import { type CopyRule, NO_SOURCE_ACCOUNTS, type SourceAccounts } from '../core/rules.ts';
import { permissionsOf, ROLE_OWNERS } from './derive-permissions.ts';
import type { Text } from './permission.ts';

/** A Markdown table of everything that the service may do: one row for each statement of each role. */
export function permissionsTable(
  rules: readonly CopyRule[],
  install: string,
  sourceAccounts: SourceAccounts = NO_SOURCE_ACCOUNTS,
): string {
  const rows = ROLE_OWNERS.flatMap((owner) =>
    permissionsOf(owner, rules, install, sourceAccounts).map(({ actions, resources, reason }) => [
      `\`${owner}\``,
      actions.map(code).join('<br>'),
      resources.map((resource) => code(print(resource))).join('<br>'),
      reason,
    ]),
  );
  return [['Who', 'May', 'On', 'Why'], ['---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

function print(text: Text): string {
  if (typeof text === 'string') return text;
  if ('Ref' in text) return text.Ref;
  if ('Fn::GetAtt' in text) return text['Fn::GetAtt'].join('.');
  if ('Fn::Join' in text)
    return text['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : `<${print(part)}>`)).join('');
  return text['Fn::Sub'].replaceAll(/\$\{([\w:.]+)\}/g, '<$1>');
}

function code(text: string): string {
  return `\`${text}\``;
}
