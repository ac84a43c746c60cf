/** What CloudFormation takes where a string is wanted. */
export type Text =
  | string
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly [string, string] }
  | { readonly 'Fn::Sub': string }
  | { readonly 'Fn::Join': readonly [string, readonly Text[]] };

/** One statement of a role's policy, with the reason why it is there. */
export interface Permission {
  /** Letters and digits, unique within the role. */
  readonly sid: string;
  readonly reason: string;
  /** `service:Action`, no wildcards. */
  readonly actions: readonly string[];
  readonly resources: readonly Text[];
  /** Operator to condition key to the value or values. */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, Text | readonly Text[]>>>>;
}

/** Pseudo parameters, to be used inside `sub`. */
export const PARTITION = `\${AWS::Partition}`;
export const REGION = `\${AWS::Region}`;
export const ACCOUNT = `\${AWS::AccountId}`;

export function sub(text: string): Text {
  return { 'Fn::Sub': text };
}
