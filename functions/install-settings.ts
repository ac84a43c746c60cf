import type { Install } from '../core/install.ts';
import { setting } from './settings.ts';

/** The settings that say who we are, for alerts. */
export const installSettings = {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  COPIER_ROLE_ARN: setting.COPIER_ROLE_ARN,
};

export function readInstall(settings: Readonly<Record<keyof typeof installSettings, string>>): Install {
  return {
    name: settings.INSTALL_NAME,
    account: settings.ACCOUNT_ID,
    region: settings.AWS_REGION,
    roleArn: settings.COPIER_ROLE_ARN,
  };
}
