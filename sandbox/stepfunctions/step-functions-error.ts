/** Step Functions refuses. `code` is AWS's. */
export class StepFunctionsError extends Error {
  override readonly name = 'StepFunctionsError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
