import { packagedService } from './packaged.ts';

/** Packages the service before the first test, so that no test pays for it. */
export async function setup(): Promise<void> {
  await packagedService();
}
