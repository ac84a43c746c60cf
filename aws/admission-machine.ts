import { callStepFunctions } from './step-functions.ts';

/** Has somebody look whether requests of a Region can start. Throws errors of core/errors.ts only. */
export interface AdmissionMachine {
  /** Answers at once; any number of wakes for the same reason is safe. */
  wake(region: string): Promise<void>;
}

/** The state machine of statemachines/admit-copies.asl.yml. */
export function stepFunctionsAdmission(stateMachineArn: string): AdmissionMachine {
  return {
    wake: (region) =>
      callStepFunctions(`StartExecution of admission for ${region}`, async (sdk, client) => {
        await client.send(new sdk.StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ region }) }));
      }),
  };
}
