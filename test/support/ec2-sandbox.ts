import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  EC2Client,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import * as z from 'zod';
import type { Caller } from '../../sandbox/accounts.ts';
import { type Ec2Options, Ec2Service, type SnapshotRecord } from '../../sandbox/ec2/ec2-service.ts';
import type { BusEvent } from '../../sandbox/events/event.ts';
import { Iam } from '../../sandbox/iam/iam.ts';
import type { Principal } from '../../sandbox/iam/types.ts';
import { KeyStore } from '../../sandbox/kms/key-store.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

/** Owns what is copied. */
export const SOURCE = '111122223333';
/** Owns the copies. */
export const TARGET = '444455556666';

const sentSchema = z.object({ body: z.string() });

/** The EC2 service in virtual time, driven by the real SDK without a network. */
export class Ec2Sandbox {
  readonly clock: ManualClock = manualClock();
  readonly events: BusEvent[] = [];
  readonly iam: Iam = new Iam({ clock: this.clock });
  readonly keys: KeyStore = new KeyStore({ clock: this.clock, iam: this.iam });
  readonly service: Ec2Service;
  readonly #clients = new Map<string, EC2Client>();

  constructor(options: Partial<Ec2Options> = {}) {
    this.service = new Ec2Service({
      clock: this.clock,
      keys: this.keys,
      emit: (event) => this.events.push(event),
      ...options,
    });
  }

  /** The SDK as an account sees a Region: its administrator, or somebody else in it. */
  as(account: string, region: string, principal?: Principal): EC2Client {
    const name = `${principal?.arn ?? account} ${region}`;
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = new EC2Client({
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'secret', sessionToken: 'session-token' },
      maxAttempts: 1,
      requestHandler: {
        handle: async (request: unknown) => ({
          response: await this.#answer({ account, region, ...(principal && { principal }) }, request),
        }),
      },
    });
    this.#clients.set(name, client);
    return client;
  }

  async #answer(caller: Caller, request: unknown) {
    const answer = this.service.handle({
      ...caller,
      params: new URLSearchParams(sentSchema.parse(request).body),
    });
    if ('hang' in answer) return new Promise<never>(() => {});
    if ('drop' in answer) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    return { statusCode: answer.status, headers: answer.headers, body: Buffer.from(answer.body) };
  }

  seconds(count: number): void {
    this.clock.advance(count * 1000);
  }

  async volume(region: string, sizeGiB = 100, more: { Encrypted?: boolean; KmsKeyId?: string } = {}): Promise<string> {
    const volume = await this.as(SOURCE, region).send(
      new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: sizeGiB, ...more }),
    );
    return volume.VolumeId ?? '';
  }

  /** A snapshot of the source account that has completed. */
  async snapshot(region: string, volumeId?: string): Promise<string> {
    const snapshot = await this.as(SOURCE, region).send(
      new CreateSnapshotCommand({ VolumeId: volumeId ?? (await this.volume(region)) }),
    );
    this.seconds(20);
    return snapshot.SnapshotId ?? '';
  }

  async share(snapshotId: string, region: string, account = TARGET): Promise<void> {
    await this.as(SOURCE, region).send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        CreateVolumePermission: { Add: [{ UserId: account }] },
      }),
    );
    this.seconds(0);
  }

  /** All that the sandbox knows of a snapshot. */
  inside(snapshotId: string | undefined): SnapshotRecord {
    const record = this.service.snapshots().find((snapshot) => snapshot.snapshotId === snapshotId);
    if (record === undefined) throw new Error(`There is no snapshot ${snapshotId}`);
    return record;
  }

  /** Details of the events of one kind so far. */
  details(event: string): readonly BusEvent['detail'][] {
    return this.events.map(({ detail }) => detail).filter((detail) => detail['event'] === event);
  }
}

/** The code of the error that a call is answered with. */
export async function errorCode(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
  return 'no error';
}
