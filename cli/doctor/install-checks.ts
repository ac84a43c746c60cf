import { lambdaFunctionStates } from '../../aws/function-states.ts';
import { couldNotCheck, isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import {
  checkDeployedRules,
  checkFunctions,
  checkOptions,
  checkStack,
  notDeployedYet,
  type OtherRules,
} from '../../core/doctor/stack.ts';
import type { Examination } from './examination.ts';

/** @param otherRules of the file that would be deployed from here; undefined if there is none */
export async function checkInstall(
  examination: Examination,
  otherRules: OtherRules | undefined,
): Promise<readonly Finding[]> {
  const { deployed, stack, deployment } = examination;
  if (deployed === undefined) return [notDeployedYet(stack, deployment)];
  return [
    checkStack(stack, deployed.stackStatus, deployment),
    ...(await functions(examination)),
    ...(otherRules === undefined ? [] : [checkDeployedRules(deployed.rules, otherRules, deployment)]),
    ...checkOptions(deployment),
  ];
}

async function functions({ resources, look, deployment }: Examination): Promise<readonly Finding[]> {
  const found = await resources;
  if (!isKnown(found)) {
    const of = { check: 'function', about: 'functions', why: 'Copies need each of them.' };
    return [couldNotCheck(found, of)];
  }
  const names = found.value.filter(({ type }) => type === 'AWS::Lambda::Function').map(({ physicalId }) => physicalId);
  const stateOf = lambdaFunctionStates();
  const states = await Promise.all(
    names.map(async (name) => ({ name, fact: await look(['lambda:GetFunctionConfiguration'], () => stateOf(name)) })),
  );
  return checkFunctions(states, deployment);
}
