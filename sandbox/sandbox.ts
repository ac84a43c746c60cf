import { type Companion, type CompanionStack, Companions } from './companions.ts';
import { type Ec2Options, Ec2Service } from './ec2/ec2-service.ts';
import { EventBus } from './events/event-bus.ts';
import { EventsApi } from './events/events-api.ts';
import { HOME_ACCOUNT } from './home.ts';
import { ControlApi } from './http/control-api.ts';
import { HttpFront } from './http/front.ts';
import { WatchedApi } from './http/watched-api.ts';
import { Guard } from './iam/guard.ts';
import { Iam } from './iam/iam.ts';
import { ServiceRoles } from './iam/service-roles.ts';
import { Sessions } from './iam/sessions.ts';
import { StsService } from './iam/sts.ts';
import { seededRandom } from './ids.ts';
import { deployInstall, type Install, type InstallOptions } from './install.ts';
import { KeyStore } from './kms/key-store.ts';
import { KmsService } from './kms/kms-service.ts';
import { ResourcePolicies } from './resource-policies.ts';
import { ServiceQuotasApi } from './service-quotas.ts';
import { Sites } from './site.ts';
import { CloudFormationApi } from './stack/cloudformation-api.ts';
import { DeployedStacks } from './stack/deployed-stacks.ts';
import { installVirtualClock, type TimeMode, type VirtualClock } from './virtual-clock.ts';
import { compiledIn, markAsUsed, removeLeftOvers, WORK_DIR } from './work-dir.ts';

export interface SandboxOptions {
  /** What `serverless package` wrote: the template, and the functions' zip files. */
  readonly packageDir: string;
  /** Of the endpoint, on the loopback address. Default 0: any free one. */
  readonly port?: number;
  readonly time: TimeMode;
  /** The sandbox's time at the start. Default: with `jumping` 2026-01-05 09:00 UTC, with `paced` the real time. */
  readonly start?: Date;
  /** Where the service is deployed. Default eu-west-1. */
  readonly home?: { readonly region: string };
  /** Copies that may run at once per destination Region. Default 20. */
  readonly slots?: number;
  /** For ids and jitter. Default 1. */
  readonly seed?: number;
  readonly ec2?: Partial<Omit<Ec2Options, 'clock' | 'emit' | 'keys'>>;
  /** Values of the template's parameters, instead of their defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** `off`: the schedules of the template never fire. Default `on`. */
  readonly schedules?: 'on' | 'off';
  /** Templates of companions/, and the accounts and Regions that they are deployed to, in this order. */
  readonly companions?: readonly Companion[];
  /** More installs, in the home account or another one, in its Region or another one; of several stages in one. */
  readonly installs?: readonly AddedInstall[];
  /** Organisations of AWS, `o-…`, and the accounts that belong to them. */
  readonly organizations?: Readonly<Record<string, readonly string[]>>;
  /** How many events `bus.events()` remembers. Default 100,000. */
  readonly eventsKept?: number;
}

/** An install beside the main one. */
interface AddedInstall extends InstallOptions {
  /** Default: the home account. */
  readonly account?: string;
  /** Default: the home Region. */
  readonly region?: string;
}

/** A running sandbox: a local AWS with the packaged service deployed in it. What it has of `Install` is of that one. */
export interface Sandbox extends Install {
  readonly clock: VirtualClock;
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly iam: Iam;
  readonly ec2: Ec2Service;
  readonly keys: KeyStore;
  readonly kms: KmsService;
  readonly bus: EventBus;
  /** The installs beside the main one, in the order of the option. */
  readonly installs: readonly Install[];
  /** The calls of these services that come over HTTP, and what is to go wrong with them. */
  readonly dynamodb: WatchedApi;
  readonly states: WatchedApi;
  readonly sns: WatchedApi;
  /**
   * The same of any of them and of `cloudformation`, `events`, `kms`, `lambda`, `servicequotas` and `sts`, by signing
   * name.
   */
  api(service: string): WatchedApi;
  /**
   * Deploys a companion now.
   * @throws TemplateError for everything in its template that the sandbox does not honour
   */
  deployCompanion(companion: Companion): CompanionStack;
  /** Deletes a companion's stack, and with it its rules and roles; a key is scheduled for deletion unless it is kept. */
  removeCompanion(stack: CompanionStack): void;
  /** See `VirtualClock.advance`. */
  advance(ms: number): Promise<void>;
  /** See `VirtualClock.advanceUntil`. */
  advanceUntil(reached: () => boolean | Promise<boolean>, limitMs: number): Promise<void>;
  /** Ends everything and gives the process its own time back. */
  stop(): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Between the seeds of the names in two stacks, so that no two are the same in an account. */
const SEEDS_APART = 1000;

/**
 * Starts a sandbox. One at a time in a process, for its clock replaces the process's own.
 * @throws TemplateError if a package or companion has something that the sandbox does not honour
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { packageDir, time, seed = 1 } = options;
  removeLeftOvers(WORK_DIR);
  const home = { account: HOME_ACCOUNT, region: options.home?.region ?? 'eu-west-1' };

  const start = options.start ?? (time.mode === 'jumping' ? new Date('2026-01-05T09:00:00Z') : new Date());
  const clock = installVirtualClock({ start, time });
  const random = seededRandom(seed);
  const systemRandom = Math.random;
  // The interpreter of state machines takes its jitter from here.
  Math.random = seededRandom(seed + 1);

  let endpoint = '';
  const iam = new Iam({ clock, organizationOf: organizationsOf(options.organizations ?? {}) });
  const policies = new ResourcePolicies(iam);
  const guard = new Guard({ iam, policies });
  const sessions = new Sessions({ clock, random: seededRandom(seed + 7) });
  const sites: Sites = new Sites({
    clock,
    random,
    scheduleRandom: seededRandom(seed + 4),
    schedulesAreOn: options.schedules !== 'off',
    compiledDir: compiledIn(WORK_DIR),
    endpoint: () => endpoint,
    roles: new ServiceRoles({ iam, sessions, guard }),
    emit: (event) => bus.put(bus.fill(event)),
  });
  sites.at(home);
  const bus: EventBus = new EventBus({
    clock,
    random,
    home,
    iam,
    policies,
    targetsIn: (place) => sites.find(place),
    eventsKept: options.eventsKept,
  });
  const keys = new KeyStore({ clock, random: seededRandom(seed + 2), iam });
  const kms = new KmsService({ keys });
  const ec2 = new Ec2Service({
    random: seededRandom(seed + 3),
    ...(options.slots === undefined ? {} : { slotsPerRegion: options.slots }),
    ...options.ec2,
    clock,
    keys,
    authorize: guard.ec2,
    emit: (event) => bus.put(event),
  });
  const chance = seededRandom(seed + 5);
  const watch = (service: string): WatchedApi => new WatchedApi({ service, clock, random: chance });
  const apis = { dynamodb: watch('dynamodb'), states: watch('states'), sns: watch('sns') };
  const watched = new Map([
    ...Object.entries(apis),
    ...['cloudformation', 'events', 'kms', 'lambda', 'servicequotas', 'sts'].map(
      (service) => [service, watch(service)] as const,
    ),
  ]);
  const stacks = new DeployedStacks();
  const control = new ControlApi({ ec2, bus, sites, home, clock, watched });
  const front = new HttpFront({
    clock,
    home,
    sites,
    ec2,
    kms,
    events: new EventsApi({ bus, iam }),
    quotas: new ServiceQuotasApi({ ec2 }),
    cloudformation: new CloudFormationApi({ stacks, random: seededRandom(seed + 6) }),
    sts: new StsService({ iam, sessions }),
    sessions,
    guard,
    control,
    watched,
  });

  const services = { clock, bus, iam, keys, policies, stacks };
  const bundles = new Set<string>();
  let stacksMade = 0;

  async function install(added: AddedInstall): Promise<Install> {
    const site = sites.at({ account: added.account ?? home.account, region: added.region ?? home.region });
    const { install: made, codeDirs } = await deployInstall(added, site, seed + SEEDS_APART * stacksMade, services);
    stacksMade += 1;
    for (const directory of codeDirs) bundles.add(directory);
    return made;
  }

  let forgetBundles = (): void => {};
  /** A sandbox that runs for days may still have to load a bundle again. */
  function keepBundles(): void {
    forgetBundles = clock.afterReal(HOUR_MS, () => {
      for (const directory of bundles) markAsUsed(directory);
      keepBundles();
    });
  }

  const companions = new Companions({ home, seed, ...services });

  function api(service: string): WatchedApi {
    const found = watched.get(service);
    if (found === undefined)
      throw new Error(`No service ${service} is watched: ${[...watched.keys()].join(', ')} are.`);
    return found;
  }

  async function stop(): Promise<void> {
    forgetBundles();
    clock.uninstall();
    Math.random = systemRandom;
    await front.close();
    await sites.stop();
  }

  try {
    endpoint = `http://127.0.0.1:${await front.listen(options.port ?? 0)}`;
    const main = await install({ packageDir, parameters: options.parameters });
    for (const companion of options.companions ?? []) companions.deploy(companion);
    const installs: Install[] = [];
    for (const added of options.installs ?? []) installs.push(await install(added));
    keepBundles();
    return {
      ...main,
      clock,
      endpoint,
      iam,
      ec2,
      keys,
      kms,
      bus,
      installs,
      ...apis,
      api,
      deployCompanion: (companion) => companions.deploy(companion),
      removeCompanion: (stack) => companions.remove(stack),
      advance: (ms) => clock.advance(ms),
      advanceUntil: (reached, limitMs) => clock.advanceUntil(reached, limitMs),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function organizationsOf(
  organizations: Readonly<Record<string, readonly string[]>>,
): (account: string) => string | undefined {
  return (account) => Object.entries(organizations).find(([, accounts]) => accounts.includes(account))?.[0];
}
