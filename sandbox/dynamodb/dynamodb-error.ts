/** DynamoDB refused a call of the sandbox itself. `code` is AWS's. */
export class DynamoDbError extends Error {
  override readonly name = 'DynamoDbError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** For `catch`: does nothing about an error with this code, and throws every other one again. */
export function ignore(code: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof DynamoDbError) || error.code !== code) throw error;
  };
}
