import type { Caller } from '../../accounts.ts';
import { EBS_ALIAS } from '../../kms/key-store.ts';
import { action, type Ec2Action } from '../action.ts';
import { keyRefusal } from '../encryption.ts';
import { text } from '../query.ts';
import type { Ec2World } from '../world.ts';
import type { XmlTree } from '../xml.ts';

// Per account and Region: https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html */
export const enableEbsEncryptionByDefault: Ec2Action = action({
  name: 'EnableEbsEncryptionByDefault',
  parameters: {},
  run: (world, caller) => setDefault(world, caller, true),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableEbsEncryptionByDefault.html */
export const disableEbsEncryptionByDefault: Ec2Action = action({
  name: 'DisableEbsEncryptionByDefault',
  parameters: {},
  run: (world, caller) => setDefault(world, caller, false),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsEncryptionByDefault.html */
export const getEbsEncryptionByDefault: Ec2Action = action({
  name: 'GetEbsEncryptionByDefault',
  parameters: {},
  run: (world, caller) => ({ ebsEncryptionByDefault: world.settingsOf(caller).encryptionByDefault }),
});

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyEbsDefaultKmsKeyId.html
 * A key that cannot be used is refused at once; AWS checks it later.
 */
export const modifyEbsDefaultKmsKeyId: Ec2Action = action({
  name: 'ModifyEbsDefaultKmsKeyId',
  parameters: { KmsKeyId: text },
  run: (world, caller, { KmsKeyId }) => {
    const found = world.settings.keys.findForEc2(caller, KmsKeyId);
    if ('problem' in found) throw keyRefusal(KmsKeyId, found.problem);
    world.settingsOf(caller).defaultKmsKeyArn = found.key.arn;
    return { kmsKeyId: found.key.arn };
  },
});

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsDefaultKmsKeyId.html
 * The alias, as long as none was set (third-party report).
 */
export const getEbsDefaultKmsKeyId: Ec2Action = action({
  name: 'GetEbsDefaultKmsKeyId',
  parameters: {},
  run: (world, caller) => ({ kmsKeyId: world.settingsOf(caller).defaultKmsKeyArn ?? EBS_ALIAS }),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetEbsDefaultKmsKeyId.html */
export const resetEbsDefaultKmsKeyId: Ec2Action = action({
  name: 'ResetEbsDefaultKmsKeyId',
  parameters: {},
  run: (world, caller) => {
    world.settingsOf(caller).defaultKmsKeyArn = undefined;
    return { kmsKeyId: world.defaultKmsKeyArn(caller) };
  },
});

function setDefault(world: Ec2World, caller: Caller, on: boolean): XmlTree {
  world.settingsOf(caller).encryptionByDefault = on;
  return { ebsEncryptionByDefault: on };
}
