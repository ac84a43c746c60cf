/** Which install of this service speaks, for alerts. */
export interface Install {
  /** `<service>-<stage>`. */
  readonly name: string;
  /** 12 digits; owns the copies. */
  readonly account: string;
  /** Where the service is deployed: the Region of its state machine. */
  readonly region: string;
  /** Of the function that calls CopySnapshot. */
  readonly roleArn: string;
}
