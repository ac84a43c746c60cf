/** An error for people: where in this code it was noticed helps nobody, and osls would print that too. */
export function plainError(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}
