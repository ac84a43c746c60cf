'use strict';

/**
 * Before `serverless package` and `serverless deploy`: refuses options that osls would take although they are wrong, and
 * bundles the functions. Node runs the TypeScript as it is.
 */
module.exports = class BundlePlugin {
  constructor(serverless, options) {
    const rulesFile = () => serverless.service.custom.rulesFile;
    this.hooks = {
      'before:package:initialize': () => {
        const { optionProblems } = require('./check-options.ts');
        const { readRulesFile } = require('./rules-file.ts');
        const { stage, region } = serverless.service.provider;
        const params = Object.fromEntries((options.param ?? []).map((given) => split(given)));
        const problems = optionProblems({ stage, region, params }, readRulesFile(rulesFile()));
        if (problems.length > 0) throw new serverless.classes.Error(problems.join('\n'));
      },
      'before:package:createDeploymentArtifacts': async () => {
        const { bundleFunctions } = require('./bundle.ts');
        await bundleFunctions(rulesFile(), serverless.serviceDir);
      },
    };
  }
};

/** @param {string} given for example `alertEmail=oncall@example.com` */
function split(given) {
  const at = given.indexOf('=');
  return at < 0 ? [given, ''] : [given.slice(0, at), given.slice(at + 1)];
}
