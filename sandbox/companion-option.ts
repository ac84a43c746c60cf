import { isRegion } from '../core/region.ts';
import { ACCOUNT_ID_PATTERN } from './accounts.ts';
import type { Companion } from './companions.ts';

const EXAMPLE = 'companions/source-account.yml:111122223333:eu-west-1:TargetAccount=000000000000,Reencrypt=on';

/**
 * Reads `<template>:<account>:<region>[:<Name>=<value>,…]`. What follows a comma belongs to the value before it, unless it
 * begins with a name and `=`: `Regions=eu-west-1,eu-central-1,Reencrypt=on` is two parameters.
 * @throws Error that says what is wrong, with an example of a right one
 */
export function readCompanionOption(text: string): Companion {
  const [template = '', account = '', region = '', ...rest] = text.split(':');
  const named = rest.join(':');
  if (template === '' || !ACCOUNT_ID_PATTERN.test(account) || !isRegion(region)) {
    throw new Error(`It must be a template, 12 digits of an account and a Region: ${EXAMPLE}`);
  }
  const parameters = named === '' ? [] : named.split(/,(?=[A-Za-z0-9]+=)/).map(parameterIn);
  return { template, account, region, parameters: Object.fromEntries(parameters) };
}

function parameterIn(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Error(`"${text}" is no parameter: ${EXAMPLE}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
