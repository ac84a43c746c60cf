import { type ArgumentOptions, ArgumentParser, ArgumentTypeError } from 'argparse';
import * as z from 'zod';
import { failed, unknownOptions, wrongArguments } from './aws-cli-problem.ts';
import { INPUT, optionOf } from './model.ts';
import { pythonInteger, pythonSource } from './python-words.ts';
import { checkQuery } from './query.ts';

/** The command line, taken apart; values are as they were written. */
export interface Arguments {
  readonly own: OwnOptions;
  readonly globals: GlobalOptions;
  /** By EC2's names of the parameters. */
  readonly given: ReadonlyMap<string, string | boolean | readonly string[]>;
  readonly cliInputJson?: string;
  readonly skeleton?: 'input' | 'output';
  readonly help: boolean;
}

/** What the AWS command line does not have. */
export interface OwnOptions {
  readonly wait: boolean;
  readonly direct: boolean;
  readonly json: boolean;
  readonly stack?: string;
  readonly stackRegion?: string;
}

/** What the AWS command line has for all commands. */
export interface GlobalOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly output?: 'json' | 'text' | 'table';
  readonly query?: string;
  readonly endpointUrl?: string;
  readonly caBundle?: string;
  readonly verifySsl: boolean;
  readonly signRequest: boolean;
  /** 0 = for ever. */
  readonly connectTimeoutSeconds: number;
  readonly readTimeoutSeconds: number;
  readonly debug: boolean;
}

/** botocore's own. */
const USUAL_TIMEOUT_SECONDS = 60;

class Parser extends ArgumentParser {
  constructor({ abbreviations }: { readonly abbreviations: boolean }) {
    super({ prog: 'snapshot-copier', add_help: false, conflict_handler: 'resolve', allow_abbrev: abbreviations });
  }

  override error(message: string): never {
    throw wrongArguments(message);
  }
}

const text = z.string().optional();
const ownShape = z.object({
  wait: z.boolean(),
  direct: z.boolean(),
  json: z.boolean(),
  stack: text,
  stack_region: text,
});
const globalShape = z.object({
  region: text,
  profile: text,
  output: z.literal(['json', 'text', 'table']).optional(),
  query: text,
  endpoint_url: text,
  ca_bundle: text,
  verify_ssl: z.boolean(),
  sign_request: z.boolean(),
  read_timeout: text,
  connect_timeout: text,
  debug: z.boolean(),
});
const operationShape = z.looseObject({
  help: text,
  cli_input_json: text,
  generate_cli_skeleton: z.literal(['input', 'output']).optional(),
});
const givenShape = z.union([z.string(), z.boolean(), z.array(z.string())]);

/**
 * Reads arguments as `aws ec2 copy-snapshot` does, which parses them twice: global options first, wherever they stand,
 * and then those of the command, each with abbreviations of its own. Our own options are read before, and are not
 * abbreviated, so that they change the meaning of no other.
 *
 * @throws CliProblem with the AWS command line's exit code
 */
export function parseArguments(args: readonly string[]): Arguments {
  const [ownNames, afterOwn] = ownParser().parse_known_args([...args]);
  const [globalNames, rest] = globalParser().parse_known_args(['copy-snapshot', ...afterOwn]);
  const globals = readGlobals(globalNames);
  const [operationNames, remaining] = operationParser(rest).parse_known_args(rest);
  const { help, cli_input_json, generate_cli_skeleton, ...others } = operationShape.parse(operationNames);
  const wantsHelp = help === 'help';
  if (help !== undefined && !wantsHelp) remaining.push(help);
  if (!wantsHelp && remaining.length > 0) throw unknownOptions(remaining);

  const own = ownShape.parse(ownNames);
  return {
    own: {
      wait: own.wait,
      direct: own.direct,
      json: own.json,
      ...(own.stack !== undefined && { stack: own.stack }),
      ...(own.stack_region !== undefined && { stackRegion: own.stack_region }),
    },
    globals,
    given: new Map(
      Object.keys(INPUT.members).flatMap((parameter) => {
        const value = others[nameOf(optionOf(parameter))];
        return value === undefined || value === null ? [] : [[parameter, givenShape.parse(value)]];
      }),
    ),
    ...(cli_input_json !== undefined && { cliInputJson: cli_input_json }),
    ...(generate_cli_skeleton !== undefined && { skeleton: generate_cli_skeleton }),
    help: wantsHelp,
  };
}

function ownParser(): Parser {
  const parser = new Parser({ abbreviations: false });
  for (const flag of ['--wait', '--direct', '--json']) parser.add_argument(flag, { action: 'store_true' });
  parser.add_argument('--stack');
  parser.add_argument('--stack-region');
  // Of version 2 of the AWS command line; nothing here is paged, asked for or binary.
  for (const flag of ['--no-cli-pager', '--no-cli-auto-prompt']) parser.add_argument(flag, { action: 'store_true' });
  parser.add_argument('--cli-binary-format');
  return parser;
}

/** https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html */
function globalParser(): Parser {
  const parser = new Parser({ abbreviations: true });
  const flag = { action: 'store_true' };
  parser.add_argument('--debug', flag);
  parser.add_argument('--endpoint-url');
  parser.add_argument('--no-verify-ssl', { action: 'store_false', dest: 'verify_ssl' });
  parser.add_argument('--no-paginate', flag);
  parser.add_argument('--output', oneOf('json', 'text', 'table'));
  parser.add_argument('--query');
  parser.add_argument('--profile');
  parser.add_argument('--region');
  parser.add_argument('--color', oneOf('on', 'off', 'auto'));
  parser.add_argument('--no-sign-request', { action: 'store_false', dest: 'sign_request' });
  parser.add_argument('--ca-bundle');
  parser.add_argument('--cli-read-timeout', { dest: 'read_timeout' });
  parser.add_argument('--cli-connect-timeout', { dest: 'connect_timeout' });
  parser.add_argument('--v2-debug', flag);
  parser.add_argument('command');
  return parser;
}

function operationParser(args: readonly string[]): Parser {
  const parser = new Parser({ abbreviations: true });
  const needsAll = !givesParametersOtherwise(args);
  for (const [parameter, { type }] of Object.entries(INPUT.members)) {
    const option = optionOf(parameter);
    if (type === 'boolean') {
      const dest = nameOf(option);
      parser.add_argument(option, { action: 'store_true', default: null, dest });
      parser.add_argument(option.replace('--', '--no-'), { action: 'store_false', default: null, dest });
    } else {
      const required = needsAll && INPUT.required?.includes(parameter) === true;
      parser.add_argument(option, { required, ...(type === 'list' && { nargs: '*' }) });
    }
  }
  parser.add_argument('--cli-input-json');
  parser.add_argument('--generate-cli-skeleton', { nargs: '?', const: 'input', ...oneOf('input', 'output') });
  parser.add_argument('help', { nargs: '?' });
  return parser;
}

/** The AWS command line looks for these two among the words, and does not see them in the form `--option=value`. */
function givesParametersOtherwise(args: readonly string[]): boolean {
  const skeleton = args.indexOf('--generate-cli-skeleton');
  return args.includes('--cli-input-json') || (skeleton !== -1 && args[skeleton + 1] !== 'output');
}

/** @throws CliProblem; in the AWS command line's order, for the first mistake is the one that is told */
function readGlobals(names: unknown): GlobalOptions {
  const read = globalShape.parse(names);
  if (read.query !== undefined) checkQuery(read.query);
  if (read.endpoint_url !== undefined && !/^[a-z][a-z\d+.-]*:/i.test(read.endpoint_url)) {
    throw failed(
      `Bad value for --endpoint-url "${read.endpoint_url}": scheme is missing.  Must be of the form http://<hostname>/ or https://<hostname>/`,
    );
  }
  return {
    ...(read.region !== undefined && read.region !== '' && { region: read.region }),
    ...(read.profile !== undefined && read.profile !== '' && { profile: read.profile }),
    ...(read.output !== undefined && { output: read.output }),
    ...(read.query !== undefined && { query: read.query }),
    ...(read.endpoint_url !== undefined && { endpointUrl: read.endpoint_url }),
    ...(read.ca_bundle !== undefined && { caBundle: read.ca_bundle }),
    verifySsl: read.verify_ssl,
    signRequest: read.sign_request,
    readTimeoutSeconds: secondsIn(read.read_timeout),
    connectTimeoutSeconds: secondsIn(read.connect_timeout),
    debug: read.debug,
  };
}

function secondsIn(value: string | undefined): number {
  return value === undefined ? USUAL_TIMEOUT_SECONDS : integer(value);
}

/** @throws CliProblem in Python's words */
export function integer(value: string): number {
  const number = pythonInteger(value);
  if (number === undefined) throw failed(`invalid literal for int() with base 10: ${pythonSource(value)}`);
  return number;
}

/** Instead of argparse's `choices`, whose message the AWS command line replaces. */
function oneOf(...choices: readonly string[]): ArgumentOptions {
  return {
    type: (value) => {
      if (choices.includes(value)) return value;
      throw new ArgumentTypeError(`Invalid choice, valid choices are:\n\n${choices.join(' | ')}`);
    },
  };
}

/** `--source-region` is `source_region` in what argparse answers. */
function nameOf(option: string): string {
  return option.slice(2).replaceAll('-', '_');
}
