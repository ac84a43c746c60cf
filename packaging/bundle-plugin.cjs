'use strict';

/** Bundles the functions before `serverless package` and `serverless deploy` zip them. Node runs the TypeScript as it is. */
module.exports = class BundlePlugin {
  constructor(serverless) {
    this.hooks = {
      'before:package:createDeploymentArtifacts': async () => {
        const { bundleFunctions } = require('./bundle.ts');
        await bundleFunctions(serverless.service.custom.rulesFile);
      },
    };
  }
};
