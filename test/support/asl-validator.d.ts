declare module 'asl-validator' {
  /** Checks a definition; it adds `QueryLanguage` to the states of what it is given. */
  export default function validate(definition: object): {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  };
}
