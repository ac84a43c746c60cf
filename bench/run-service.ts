// One measurement of the service, in a process of its own (bench/service-process.ts). By hand:
//
//   node bench/run-service.ts '{"what":"burst","n":1000,"variant":"events","packageDir":"…"}'
import { registerHooks } from 'node:module';
import { readRulesFile } from '../packaging/rules-file.ts';
import { BENCH_RULES, parseTask } from './service-process.ts';

// The functions read their settings when they are loaded, and make clients that are never called: what they work with
// here is given to them (bench/service-functions.ts).
const NOT_USED = 'not-used';
Object.assign(process.env, {
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
  // Has it write to this process's own console.
  POWERTOOLS_DEV: 'true',
  AWS_REGION: 'eu-west-1',
  AWS_LAMBDA_FUNCTION_NAME: NOT_USED,
  INSTALL_NAME: NOT_USED,
  ACCOUNT_ID: NOT_USED,
  STATE_MACHINE_ARN: NOT_USED,
  ADMISSION_MACHINE_ARN: NOT_USED,
  LEDGER_TABLE: NOT_USED,
  DEAD_LETTER_TOPIC_ARN: NOT_USED,
  COPIER_ROLE_ARN: NOT_USED,
  SOURCE_EXTERNAL_ID: NOT_USED,
  KEEP_REQUESTS_DAYS: '90',
  LOOKBACK_HOURS: '24',
});
// Powertools warns when two invocations count at once in one process, which never happens on Lambda.
console.warn = () => {};
// The rules that lie beside each packaged function do not lie beside its source.
const NO_RULES =
  'export const readPackagedRules = () => []; export const readPackagedSourceAccounts = () => ({ accounts: [] });';
registerHooks({
  load: (url, context, next) =>
    url.endsWith('/functions/packaged-rules.ts')
      ? { format: 'module', shortCircuit: true, source: NO_RULES }
      : next(url, context),
});

const task = parseTask(process.argv[2] ?? '');
const rules = readRulesFile(BENCH_RULES);
const { runBurst } = await import('./burst.ts');
const { copyBacklogByService } = await import('./backlog.ts');
const measured = await (task.what === 'burst'
  ? runBurst({ ...task, rules })
  : copyBacklogByService({ ...task, rules }));
process.stdout.write(`${JSON.stringify(measured)}\n`);
