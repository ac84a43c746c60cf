'use strict';

/**
 * osls shortens a rule's name of more than 64 characters to something that the policy of the stuck-events queue does not
 * know; events that EventBridge cannot deliver would then be lost.
 */
const STAGE = /^[A-Za-z][A-Za-z0-9-]{0,19}$/;

/** Bundles the functions before `serverless package` and `serverless deploy` zip them. Node runs the TypeScript as it is. */
module.exports = class BundlePlugin {
  constructor(serverless) {
    const { stage } = serverless.service.provider;
    this.hooks = {
      'before:package:initialize': () => {
        if (STAGE.test(stage)) return;
        throw new serverless.classes.Error(
          `--stage is "${stage}". It takes a letter and at most 19 more letters, digits or hyphens, for example prod.`,
        );
      },
      'before:package:createDeploymentArtifacts': async () => {
        const { bundleFunctions } = require('./bundle.ts');
        await bundleFunctions(serverless.service.custom.rulesFile, serverless.serviceDir);
      },
    };
  }
};
